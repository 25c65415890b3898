"""Engines that hear how something is said."""
