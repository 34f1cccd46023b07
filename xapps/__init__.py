"""xApps of the near-RT RIC."""
