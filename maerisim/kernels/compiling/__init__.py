"""How kernels are compiled: the one decorator, groups of arrays handed on as one, and the cache of what was
compiled.
"""
