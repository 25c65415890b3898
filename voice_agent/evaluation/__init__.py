"""Evaluation: recordings read at leisure, and engines measured on labelled data."""
