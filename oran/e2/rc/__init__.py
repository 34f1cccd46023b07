"""E2SM-RC, the RAN control service model; its slice-level PRB quota (style 2, action 6) has quick paths."""
