"""The O-RAN interfaces as spoken on the wire, and the vocabulary every floor above shares."""
