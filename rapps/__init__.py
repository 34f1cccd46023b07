"""rApps of the non-RT RIC."""
