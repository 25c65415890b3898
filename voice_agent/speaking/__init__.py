"""Speaking: from words and a tone to audio that is really heard."""
