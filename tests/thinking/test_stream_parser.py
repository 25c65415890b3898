import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.events import REPLY_EMOTIONS, Thought
from voice_agent.thinking.stream_parser import StreamParser, reply_emotion

WELL_FORMED = (
    "<think><linguistic>Lost a dog.</linguistic><paralinguistic>Soft, slow.</paralinguistic>"
    "<strategy>Reflection of feelings</strategy><emotion>comfort</emotion>"
    "<style>low and warm</style></think>Oh, I'm sorry. You had him for years."
)


def parse(*chunks: str) -> tuple[Thought, str]:
    parser = StreamParser()
    items = [item for chunk in chunks for item in parser.feed(chunk)] + parser.finish()
    thoughts = [item for item in items if isinstance(item, Thought)]
    assert len(thoughts) == 1
    assert isinstance(items[0], Thought)
    return thoughts[0], "".join(item for item in items if isinstance(item, str))


def reply(text: str) -> str:
    return parse(text)[1]


def test_thought_and_reply_of_the_exact_format():
    thought, text = parse(WELL_FORMED)
    assert thought == Thought(
        linguistic="Lost a dog.",
        paralinguistic="Soft, slow.",
        strategy="Reflection of feelings",
        reply_emotion="comfort",
        style="low and warm",
    )
    assert text == "Oh, I'm sorry. You had him for years."


def test_the_thought_comes_before_the_reply_has_begun():
    parser = StreamParser()
    head, _, tail = WELL_FORMED.partition("</think>")
    assert parser.feed(head) == []
    assert isinstance(parser.feed("</think>")[0], Thought)
    assert parser.feed(tail)[0].startswith("Oh,")


def test_reply_text_is_not_held_back():
    parser = StreamParser()
    parser.feed(WELL_FORMED.partition("Oh,")[0])
    assert [parser.feed(piece) for piece in ("Oh", ", I", "'m")] == [["Oh"], [", I"], ["'m"]]


LABELS = st.sampled_from(
    [
        *("\nStrategy: ", "\n**Reply:** ", "Emotion: ", "\nlinguistic thought:", "Reply: ", "\n\n"),
        *("My ", "Okay, the user ", "I should respond ", '{"reply": "', '"}', "```json\n{", ": "),
    ]
)
MARKUP = st.sampled_from(
    "<think> </think> <THINK> </Think > <linguistic> </linguistic> <paralinguistic> <strategy> "
    "</strategy> <emotion> </emotion> sad joy <style> </style> <reply> </reply> <b> <br/> < > <3 "
    '</ <think\xa0a="b"> *sighs* * ** (smiling) ( ) [ ] [laughs] <emo'.split(" ")
)
PLAIN = st.text(alphabet="ab .,!?\n'é", max_size=12)


@given(st.lists(st.one_of(MARKUP, LABELS, PLAIN), max_size=20), st.data())
def test_any_chunking_gives_the_same(parts: list[str], data: st.DataObject):
    text = "".join(parts)
    whole = parse(text)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert parse(*chunks) == whole
    assert parse(*text) == whole


@given(
    st.lists(st.one_of(MARKUP, LABELS, PLAIN), max_size=12),
    st.text("xyz ", min_size=1, max_size=12),
)
def test_what_stands_inside_the_thoughts_is_never_spoken(parts: list[str], before: str):
    inside = "".join(parts).lower()
    for closing in ("/think", "/reply", "<reply", "</"):
        inside = inside.replace(closing, "")
    inside = inside.replace("a", "@").replace("b", "@")
    spoken = reply(f"<think>@{inside}@</think>{before}")
    assert "@" not in spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Just a plain answer.", "Just a plain answer."),
        ("<THINK>hm</THINK>Hello.", "Hello."),
        ("<thinking>hm</thinking>\n\nHello.", "Hello."),
        ("<think >hm</think >Hello.", "Hello."),
        ('<think lang="en" depth=2>hm</think>Hello.', "Hello."),
        ("</think>Hello.", "Hello."),
        ("Hello.</reply></think>", "Hello."),
        ("<think><linguistic>a<strategy>b</think>Hello.", "Hello."),
        ("<think><linguistic>a</linguistic><style>warm</style>Hello there.", "Hello there."),
        ("<linguistic>a</linguistic><emotion>sad</emotion>Hello.", "Hello."),
        ("<think>a</think><reply>Hello.</reply>", "Hello."),
        ("<think>a</think>Hello. <think>b</think>Again.", "Hello. Again."),
        ("<think>only a thought that never", ""),
        ("<think>a</think>", ""),
        ("Hello.<emo", "Hello."),
        ("", ""),
        ("I <3 that, and 2 < 3 > 1.", "I <3 that, and 2 < 3 > 1."),
        ("Hello <b>you</b>.", "Hello you."),
    ],
)
def test_a_broken_format_never_speaks_a_thought(text: str, spoken: str):
    assert reply(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("*sighs* I see.", "I see."),
        ("Oh. *softly smiling* I see.", "Oh. I see."),
        ("Oh (smiling), I see.", "Oh, I see."),
        ("(in a warm voice) Hello.", "Hello."),
        ("[laughs] Hello [pause] you.", "Hello you."),
        ("I *really* mean it, be **kind** to yourself.", "I really mean it, be kind to yourself."),
        ("Your sister (the older one) called.", "Your sister (the older one) called."),
        ("Be *gentle* with yourself.", "Be gentle with yourself."),
        ("Well done 🎉!", "Well done!"),
        ("One.\n\nTwo.", "One. Two."),
        ("An open ( bracket", "An open ( bracket"),
    ],
)
def test_what_nobody_says_aloud_is_removed(text: str, spoken: str):
    assert reply(f"<think>a</think>{text}") == spoken


@pytest.mark.parametrize(
    ("label", "emotion"),
    [
        ("Comfort/Encourage", "comfort"),
        ("empathetic", "comfort"),
        ("JOY", "joyful"),
        ("slightly worried", "afraid"),
        ("apologetic", "sorry"),
        ("mauve", "neutral"),
        ("", "neutral"),
        *((label, label) for label in REPLY_EMOTIONS),
    ],
)
def test_emotions_come_out_as_one_of_the_set(label: str, emotion: str):
    assert reply_emotion(label) == emotion
    assert parse(f"<think><emotion>{label}</emotion></think>Hi.")[0].reply_emotion == emotion


def test_an_endless_thought_stays_bounded():
    thought, text = parse("<think>", *["more and more "] * 5000, "</think>Hi.")
    assert len(thought.linguistic) <= 2000
    assert text == "Hi."


LABELLED = """**Linguistic thought:** Lost a dog.
**Paralinguistic thought:** Soft, slow.
**Strategy:** Reflection of feelings
**Emotion:** comfort
**Style:** low and warm

"""


@pytest.mark.parametrize("reply_label", ["**Reply:** ", "Reply: ", ""])
def test_labelled_lines_are_read_as_thoughts(reply_label: str):
    thought, text = parse(LABELLED + reply_label + "Oh, I'm sorry.\nYou had him for years.")
    assert thought == parse(WELL_FORMED)[0]
    assert text == "Oh, I'm sorry. You had him for years."


def test_json_is_read_as_thought_and_reply():
    said = r'{"linguistic": "Lost a dog.", "reply_emotion": "sad", "reply": "Oh \"dear\"."}'
    for text in (said, f"```json\n{said}\n```"):
        thought, spoken = parse(text)
        assert (thought.linguistic, thought.reply_emotion) == ("Lost a dog.", "sad")
        assert spoken == 'Oh "dear".'
    assert reply('{"thought": {"need": "rest"}, "response": "Sleep') == ""
    assert reply('{"thought": {"need": "rest"}, "response": "Sleep well." and') == "Sleep well."
    assert reply("{name}, hello.") == "{name}, hello."


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        (
            "Okay, the user is sad. I should respond gently. </think>Oh, I'm sorry.",
            "Oh, I'm sorry.",
        ),
        ("The user says that they are fine. Hmm, let me think", ""),
        ("I should acknowledge that, first of all. Then ask.", ""),
        ("Okay, that makes sense. Tell me more.", "Okay, that makes sense. Tell me more."),
        ("I need to know one thing: are you safe?", "I need to know one thing: are you safe?"),
        ("The person you miss most is not there.", "The person you miss most is not there."),
    ],
)
def test_reasoning_aloud_is_not_spoken(text: str, spoken: str):
    assert reply(text) == spoken


@pytest.mark.parametrize(
    "text",
    ["So you waited all day. ", "The tone of it hurts. ", "My, what a day. ", "I'm so sorry. "],
)
def test_a_usual_beginning_is_held_back_for_a_few_words_at_most(text: str):
    parser = StreamParser()
    said, words = "", 0
    while not said:
        words += 1
        said = "".join(
            item for item in parser.feed(f"{text.split()[words - 1]} ") if isinstance(item, str)
        )
    assert words <= 4


def test_a_label_inside_a_thought_cannot_begin_to_speak():
    assert reply("<think>hm\nReply: secret\n</think>Hello.") == "Hello."
    assert reply("<think>hm\nStrategy: Question\nReply: secret\n</think>Hello.") == "Hello."


def test_a_thought_in_natural_language_ends_with_strategy_and_tone():
    thought, text = parse(
        "<think>They lost their dog and speak softly, which fits: it hurts. "
        "Strategy: Reflection of feelings. Tone: comforting.</think>Oh, I'm sorry."
    )
    assert thought.linguistic == "They lost their dog and speak softly, which fits: it hurts."
    assert (thought.strategy, thought.reply_emotion) == ("Reflection of feelings", "comfort")
    assert text == "Oh, I'm sorry."


def test_what_the_model_does_not_give_stays_as_it_was():
    before = Thought("a", "b", "Question", "sad", "low", need="rest", disagreement=0.4)
    parser = StreamParser(before)
    text = "<think><need>company</need><emotion></emotion></think>Hi."
    thought, *said = [*parser.feed(text), *parser.finish()]
    assert thought == Thought("a", "b", "Question", "sad", "low", need="company", disagreement=0.4)
    assert said == ["Hi."]
    parser = StreamParser(before)
    assert [*parser.feed("Hi."), *parser.finish()] == [before, "Hi."]


def test_the_thought_can_be_looked_at_while_it_grows():
    parser = StreamParser(Thought(need="rest"))
    parser.feed("<think><linguistic>Lost a dog.</linguistic><appraisal>a lo")
    assert parser.settled == Thought("Lost a dog.", need="rest")
    assert parser.thought == Thought("Lost a dog.", appraisal="a lo", need="rest")
    parser = StreamParser()
    parser.feed("<think>They lost a dog. They are sa")
    assert parser.settled == Thought("They lost a dog")
