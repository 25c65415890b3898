"""Engines that give text a voice."""
