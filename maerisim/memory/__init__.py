"""What lies around the fabric: the global buffer and DRAM.

``blocks.py`` are the blocks in which a layer passes the buffer and the words that each moves, ``cuts.py`` the ways
to cut it, ``dram.py`` the cycles of the channel.
"""
