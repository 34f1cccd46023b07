"""Experiments: each table and figure of the PA-MRL paper, and our own questions, by one command."""
