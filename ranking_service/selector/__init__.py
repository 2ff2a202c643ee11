"""Which candidates make the slate, and in which order: value, variety, limits."""
