"""The network twin's face as E2 nodes: setup, subscriptions, KPM reports, slice quota control.

All but `simulation` is free of torch, so that recorded traffic can be played back without it.
"""
