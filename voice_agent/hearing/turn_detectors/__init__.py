"""Engines that tell whether a pause ends a turn."""
