"""The front door: the command line and the demo that composes everything."""
