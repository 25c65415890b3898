"""A turn's voice in a line."""

import pytest

from voice_agent.cli.report import in_words, thought_in_rows
from voice_agent.events import Estimate, Manner, Paralinguistics, Thought, VocalEvent

COUGH = VocalEvent("cough", 0.0, 0.4, 0.9)


@pytest.mark.parametrize(
    ("how", "line"),
    [
        (Paralinguistics(), "too little speech to tell"),
        (Paralinguistics(emotion={"sad": 0.7, "neutral": 0.3}), "sad 70%, neutral 30% (uncertain)"),
        (Paralinguistics(emotion={"sad": 0.9, "other": 0.1}, uncertain=False), "sad 90%"),
        (
            Paralinguistics(emotion={"neutral": 0.8, "sad": 0.2}, calm=0.5, uncertain=False),
            "neutral 80% (calm)",
        ),
        (
            Paralinguistics(
                emotion={"sad": 0.6, "anger": 0.4}, evidence={"anger": 0.8, "sad": 0.2}
            ),
            "sad 60%, anger 40% (alone anger 80%, uncertain)",
        ),
        (
            Paralinguistics(valence=Estimate(-0.52, 0.6), arousal=Estimate(0.3, 0.1)),
            "valence -0.5",
        ),
        (Paralinguistics(events=(COUGH, COUGH)), "cough"),
        (
            Paralinguistics(Manner(phonation={"whisper": 0.9, "normal": 0.1, "shout": 0.0})),
            "whispered",
        ),
        (
            Paralinguistics(Manner(pitch_hz=182.4, pitch_low_hz=150, pitch_high_hz=220)),
            "182 Hz (150 to 220)",
        ),
        (
            Paralinguistics(
                Manner(
                    pitch_shift_st=3.0,
                    level_shift_db=-6.0,
                    confidence={"pitch_shift_st": 0.1, "level_shift_db": 0.6},
                )
            ),
            "quieter than usual",
        ),
    ],
)
def test_a_voice_in_a_line(how: Paralinguistics, line: str):
    assert in_words(how) == line


def test_a_thought_in_rows_has_what_is_known():
    thought = Thought(
        "Lost a dog.", "", "Question", need="company", stage="exploration", reason="too early"
    )
    assert thought_in_rows(thought) == [
        ("said", "Lost a dog."),
        ("need", "company"),
        ("strategy", "exploration · Question: too early"),
    ]
    assert thought_in_rows(Thought()) == []
