"""Tasks: services in plain language, what they ask of a link, and the equipment that there is for it."""
