sent-no-state = a state is one of { $states }
