"""Learnt receivers, shipped as model packages."""
