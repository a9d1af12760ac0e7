"""The experiments by name: a file for each, with its jobs, its work, its table and its figure."""
