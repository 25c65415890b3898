import pytest

from voice_agent.events import (
    Estimate,
    Exchange,
    Manner,
    Paralinguistics,
    Prompt,
    Thought,
    UserTurn,
    VocalEvent,
)
from voice_agent.thinking.dual_thinking import (
    describe,
    render_messages,
    render_thought,
    render_turn,
)
from voice_agent.thinking.stream_parser import StreamParser

SOFT = Manner(
    speech_s=2.0, level_shift_db=-6.0, rate_shift=0.7, pitch_shift_st=-2.5, pitch_range_st=5.0
)


@pytest.mark.parametrize(
    ("how", "described"),
    [
        (None, "typed, so there is no voice to hear"),
        (Paralinguistics(SOFT), "spoken softly and slowly, lower than usual; uncertain"),
        (Paralinguistics(Manner(speech_s=2.0)), "spoken in an even voice; uncertain"),
        (Paralinguistics(Manner()), "too little speech to tell how; uncertain"),
        (
            Paralinguistics(
                Manner(speech_s=2.0, level_shift_db=6.0, rate_shift=1.4),
                emotion={"anger": 0.7, "neutral": 0.3},
                uncertain=False,
            ),
            "spoken loudly and fast, sounding angry",
        ),
        (
            Paralinguistics(
                Manner(speech_s=1.0, pitch_range_st=1.0),
                events=(VocalEvent("sigh", 0.0, 0.5, 0.9), VocalEvent("cough", 1.0, 1.2, 0.2)),
            ),
            "in a flat voice, with a sigh; uncertain",
        ),
    ],
)
def test_how_it_was_said_in_plain_words(how, described: str):
    assert describe(how) == described


def test_a_turn_in_tag_form_has_all_that_is_known_in_order():
    how = Paralinguistics(
        SOFT,
        emotion={"sad": 0.6, "neutral": 0.4},
        arousal=Estimate(-0.3, 0.5),
        gender={"female": 0.9, "male": 0.1},
        age={"adult": 0.8, "child": 0.2},
        events=(VocalEvent("cry", 0.0, 1.0, 0.8),),
        uncertain=False,
    )
    text = render_turn(UserTurn("i am fine", how))
    tags = ["words", "age", "gender", "emotion", "sound_events", "manner"]
    places = [text.index(f"<{tag}>") for tag in tags]
    assert places == sorted(places)
    assert "<words>i am fine</words>" in text
    assert "<emotion>sad (60%)</emotion>" in text


def test_words_and_voice_that_contradict_one_another_are_said_to():
    sad = Paralinguistics(SOFT, emotion={"sad": 0.8, "neutral": 0.2}, uncertain=False)
    text = render_turn(UserTurn("everything is great", sad))
    assert "<contrast>the words are cheerful, the voice sounds sad</contrast>" in text
    for said, how in (
        ("i feel awful", sad),
        ("i went to the shop", sad),
        ("everything is great", Paralinguistics(SOFT, emotion={"sad": 0.8})),
        ("everything is great", None),
    ):
        assert "contrast" not in render_turn(UserTurn(said, how))


def test_typed_words_carry_no_voice():
    assert render_turn(UserTurn("hi")) == "<words>hi</words>"


def test_uncertain_readings_say_so():
    text = render_turn(UserTurn("hi", Paralinguistics(SOFT, emotion={"sad": 0.9})))
    assert "sad (uncertain)" in text


def test_a_prompt_becomes_a_conversation():
    thought = Thought("a", "b", "Question", "comfort", "soft")
    history = (
        Exchange(UserTurn("hello"), "Hi.", thought),
        Exchange(UserTurn("well"), "Tell me", None, interrupted=True),
    )
    messages = render_messages(Prompt(UserTurn("i am sad"), history, "Your name is Ada."))
    roles = [message["role"] for message in messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "Your name is Ada." in messages[0]["content"]
    assert messages[2]["content"].endswith("</think>Hi.")
    assert "interrupted" in messages[4]["content"]
    assert "i am sad" in messages[-1]["content"]


def test_a_rendered_thought_is_read_back():
    thought = Thought("lost a dog", "soft", "Question", "comfort", "slow")
    assert StreamParser().feed(render_thought(thought)) == [thought]
