"""E2AP, the E2 application protocol (O-RAN.WG3.E2AP v2 and v3)."""
