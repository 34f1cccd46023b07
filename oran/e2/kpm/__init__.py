"""E2SM-KPM, the key performance measurement service model (O-RAN.WG3.E2SM-KPM v2.03 to v5).

`messages` has the values, `codec` their encodings, `asn1` their JSON projection, `profile` the dialects that nodes
speak and `node_profiles` which node speaks which. Under them, `schema` and `function` declare the messages and
`reports` reads and writes the ordinary report by hand.
"""
