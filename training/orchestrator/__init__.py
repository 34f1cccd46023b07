"""The 6G-LLM: an orchestrator trained by what the link twin says of its plans."""
