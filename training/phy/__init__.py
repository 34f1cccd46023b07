"""Training of the learnt parts of the physical layer on the link twin."""
