"""The corpus: what a 6G-LLM reads before anything else, from users' documents and from texts of our own."""
