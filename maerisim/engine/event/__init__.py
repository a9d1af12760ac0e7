"""The engine to read, in SimPy: a process for each component of the machine, joined by queues of limited room."""
