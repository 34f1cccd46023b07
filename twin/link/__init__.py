"""The link twin: what an orchestration of the physical layer delivers."""
