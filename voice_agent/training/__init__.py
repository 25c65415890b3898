"""Trains the small models that the agent carries."""
