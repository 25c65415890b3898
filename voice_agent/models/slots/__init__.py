"""Many rows of tokens in one forward pass of a transformer: their memory, their sizes, their masks.

Rows join and leave between two passes (continuous batching; Yu et al. 2022, "Orca"). Each has a
slot in the memory, and a length of its own there.
"""
