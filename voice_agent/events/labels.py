"""The labels of emotions and sounds, after OSUM-EChat."""

EMOTIONS = ("sad", "anger", "neutral", "happy", "surprise", "fear", "disgust", "other")
"""Emotions heard in a voice."""

REPLY_EMOTIONS = (
    "joyful",
    "sorry",
    "happy",
    "angry",
    "surprised",
    "disgusted",
    "sad",
    "afraid",
    "tearful",
    "comfort",
    "neutral",
)
"""Emotions the agent speaks with; OSUM-EChat's "comfort/encourage" is ``comfort`` here."""

PHONATIONS = ("whisper", "normal", "shout")
"""How the voice is produced."""

VOCAL_EVENTS = (
    "laugh",
    "cough",
    "cry",
    "scream",
    "sigh",
    "throat clearing",
    "sneeze",
    "snore",
    "other",
)
"""Sounds of the voice that are no words; ``sigh`` is any breath that can be heard."""
