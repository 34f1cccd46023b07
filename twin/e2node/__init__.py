"""The twin's face as E2 nodes."""
