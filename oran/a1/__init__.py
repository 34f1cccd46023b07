"""The A1 interface as an xApp sees it: policies, their status and the slice-SLA policy type."""
