"""The orchestrator rApp: it turns what a service asks for in plain language into a plan for link and slice."""
