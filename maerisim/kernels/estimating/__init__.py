"""The cost of a mapping in closed form, and the best of a space of mappings by it."""
