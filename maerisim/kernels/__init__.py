"""What numba compiles, on plain numbers and arrays: kernels know no objects and raise nothing.

``compiling`` is how they are compiled and kept, ``stepping`` the cycles of the compiled engine, ``estimating`` the
analytic model and the ranking of mappings.
"""
