"""Learnt receivers and transmitters, shipped as model packages."""
