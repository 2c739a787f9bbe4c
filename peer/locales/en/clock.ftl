clock-just-now = just now
clock-minutes-ago = { $minutes } min ago
clock-today = today { $hour }
clock-yesterday = yesterday { $hour }
clock-day = { $day } { $month } { $hour }
clock-month =
    { $month ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
        [10] Oct
        [11] Nov
       *[12] Dec
    }
