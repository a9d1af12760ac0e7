"""The machine driven in lock step: ports, multiplier switches and controller of a second kind."""
