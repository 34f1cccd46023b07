"""The embedded near-RT RIC: E2 termination, subscriptions, A1 mediator, routing."""
