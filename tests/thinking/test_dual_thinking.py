import pytest

from voice_agent.events import (
    Conduct,
    Draft,
    Estimate,
    Exchange,
    Manner,
    Memory,
    Paralinguistics,
    Prompt,
    Thought,
    ToolCall,
    ToolUse,
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


FULL = Thought(
    linguistic="Lost a dog.",
    stimulus="my dog died",
    appraisal="a loss",
    need="to be heard",
    paralinguistic="Soft.",
    conflict="none",
    stage="exploration",
    strategy="Question",
    reason="too early for more",
    reply_emotion="comfort",
    style="slow",
)


def test_a_full_thought_is_read_back_from_tags():
    assert StreamParser().feed(render_thought(FULL)) == [FULL]


def test_a_thought_in_natural_language_is_read_back_as_one():
    rendered = render_thought(FULL, Conduct(think="natural"))
    assert "<linguistic>" not in rendered
    (thought,) = StreamParser().feed(rendered)
    assert thought.linguistic == "Lost a dog. Soft."
    assert (thought.strategy, thought.reply_emotion) == ("Question", "comfort")


def contents(prompt: Prompt) -> str:
    return "\n".join(str(message["content"]) for message in render_messages(prompt))


def test_all_but_the_last_message_stays_as_it_was():
    """Prefix caches live on it."""
    history = (Exchange(UserTurn("hello"), "Hi.", FULL),)
    turn = UserTurn("i lost my job and")
    begun = render_messages(Prompt(turn, history, aim="thought"))
    done = render_messages(
        Prompt(
            UserTurn("i lost my job and my dog"),
            history,
            memories=(Memory("fact", "you live in Rome"),),
            draft=Draft(FULL, "i lost my job and"),
        )
    )
    assert begun[:-1] == done[:-1]
    assert begun[-1]["content"].startswith("<words>i lost my job and")
    assert "still speaking" in begun[-1]["content"]
    assert "you live in Rome" in done[-1]["content"]
    assert '<thought_so_far for="i lost my job and"><linguistic>' in done[-1]["content"]


def test_without_thinking_nothing_is_asked_or_shown_of_thoughts():
    history = (Exchange(UserTurn("hello"), "Hi.", FULL),)
    prompt = Prompt(UserTurn("x"), history, conduct=Conduct(think="none"), draft=Draft(FULL, "x"))
    assert "<think" not in contents(prompt)
    assert "thought_so_far" not in contents(prompt)


def test_where_emotions_are_not_to_be_reflected_the_voice_is_not_told():
    how = Paralinguistics(SOFT, emotion={"sad": 0.9}, uncertain=False)
    turn = UserTurn("everything is great", how)
    silent = Conduct(reflect_emotions=False)
    text = contents(Prompt(turn, (Exchange(turn, "Oh.", None),), conduct=silent))
    assert "sad" not in text.replace("tearful, sad", "").split("your answer")[-1]
    assert "manner" not in text
    assert "<paralinguistic>" not in text
    assert "Do not infer" in text


def test_the_conduct_is_told():
    text = contents(
        Prompt(
            UserTurn("x"),
            conduct=Conduct("Ada", language="de", reply_words=12, strategies=("Question",)),
        )
    )
    assert "Your name is Ada." in text
    assert "Answer in de." in text
    assert "at most 12 words" in text
    assert "<strategy>one of: Question</strategy>" in text
    service = contents(Prompt(UserTurn("x"), conduct=Conduct(mode="customer_support")))
    assert "Identity Verification" in service
    assert "maintaining" in service
    leads = {contents(Prompt(UserTurn("x"), conduct=Conduct(initiative=n))) for n in (0, 0.5, 1)}
    assert len(leads) == 3


def test_tools_and_their_results_are_messages_of_their_own():
    done = ToolUse(ToolCall("call_1", "weather", '{"city": "Rome"}'), "sunny")
    open_ = ToolUse(ToolCall("call_2", "news", "{}"))
    history = (Exchange(UserTurn("how is it there"), "Let me look.", FULL, tools=(done, open_)),)
    messages = render_messages(Prompt(UserTurn(""), history))
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "tool", "tool"]
    assert messages[2]["tool_calls"][0] == {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
    }
    assert [m["content"] for m in messages[3:]] == ["sunny", "(no result yet)"]
    later = render_messages(Prompt(UserTurn("well?"), history))
    assert later[-1]["role"] == "user"
