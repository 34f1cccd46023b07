"""Learnt transmitters, shipped as model packages."""
