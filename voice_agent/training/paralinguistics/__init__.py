"""Trains the models that hear how something is said: one of the voice, one of vocal events."""
