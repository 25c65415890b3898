"""Hearing: what is said and how."""
