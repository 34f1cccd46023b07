"""E2SM-KPM, the key performance measurement service model (O-RAN.WG3.E2SM-KPM v2.03 to v5).

`messages` has the values, `codec` their encodings, `asn1` their JSON projection, `profile` the nodes' dialects.
"""
