"""The network digital twin."""
