"""How a layer is laid onto the fabric: tiles, loop order and placement, and whether that is allowed.

Mappings and constraints as documents, the rules that a mapping has to keep, the filters of a sparse layer that
share the array, two fused layers that share it, and how all of this reads in few words.
"""
