"""Instructions: questions with reasoning and answers, written by hand, computed, or brought along."""
