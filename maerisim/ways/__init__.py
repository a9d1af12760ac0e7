"""The way a layer runs on a machine, chosen once: it refuses, checks, lowers, estimates and simulates the layer."""
