"""A network on a piece of hardware, from names to results: mapped, simulated, compared, profiled. No command line."""
