"""Numbers and arrays in, numbers and arrays out: everything that numba compiles."""
