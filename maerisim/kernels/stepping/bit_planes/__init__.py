"""The fabric without values, 64 switches at a time."""
