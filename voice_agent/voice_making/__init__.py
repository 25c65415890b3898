"""Recordings of a person made ready for a voice to speak after: checked, cut and picked."""
