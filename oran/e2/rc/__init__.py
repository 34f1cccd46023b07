"""E2SM-RC, the RAN control service model: here its slice-level PRB quota (style 2, action 6)."""
