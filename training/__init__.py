"""Offline training: what learns on the twin."""
