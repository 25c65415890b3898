"""Models on this machine: which there are, where they lie, and on what they compute."""
