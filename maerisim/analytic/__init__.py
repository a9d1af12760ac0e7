"""How many cycles and words a mapping takes, without running it, and which mapping is best by that.

Also the least that any mapping could take (bounds), how far the estimate may be off, and what a search has proven.
"""
