"""The transmission chain in torch: TDL channel, pilots, estimation, precoding, detection, LLRs."""
