"""RMR, the RIC message router, spoken on the wire without librmr."""
