"""The dialogue: one session, one clock, one place that decides."""
