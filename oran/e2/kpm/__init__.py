"""E2SM-KPM, the key performance measurement service model (O-RAN.WG3.E2SM-KPM v2.03 to v4)."""
