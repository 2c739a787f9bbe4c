sent-no-state = os estados são { $states }
