"""Ways in: from bytes to audio and events, and back."""
