"""Memory of the person: what is noticed, kept for them, and comes back when it fits."""
