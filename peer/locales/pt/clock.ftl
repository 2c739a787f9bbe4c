clock-just-now = agora
clock-minutes-ago = há { $minutes } min
clock-today = hoje { $hour }
clock-yesterday = ontem { $hour }
clock-day = { $day } { $month } { $hour }
clock-month =
    { $month ->
        [1] jan
        [2] fev
        [3] mar
        [4] abr
        [5] mai
        [6] jun
        [7] jul
        [8] ago
        [9] set
        [10] out
        [11] nov
       *[12] dez
    }
