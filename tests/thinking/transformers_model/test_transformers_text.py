"""What comes out of tokens, and out of text with calls of tools in it, however it is cut."""

import json

import pytest

pytest.importorskip("transformers", reason="needs the extra 'transformers'")

from hypothesis import given
from hypothesis import strategies as st

from voice_agent.events import ToolCall
from voice_agent.thinking.models.transformers.answer import Detokenizer, Ending
from voice_agent.thinking.models.transformers.tool_calls import ToolCallParser

TOOLS = ("look_up", "hang_up")

Told = list[str | tuple[str, object]]


def told(pieces: list[str | ToolCall]) -> Told:
    """Pieces with neighbouring text joined and ids left out."""
    joined: Told = []
    for piece in pieces:
        if isinstance(piece, ToolCall):
            joined.append((piece.name, json.loads(piece.arguments)))
        elif joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece:
            joined.append(piece)
    return joined


def parse(chunks: list[str], names: tuple[str, ...] = TOOLS) -> Told:
    parser = ToolCallParser(names)
    pieces = [piece for chunk in chunks for piece in parser.feed(chunk)]
    return told(pieces + parser.finish())


RAIN = ("look_up", {"word": "rain"})
CASES = {
    "text": ("Hello, you.", ["Hello, you."]),
    "hermes": (
        '<tool_call>\n{"name": "look_up", "arguments": {"word": "rain"}}\n</tool_call>',
        [RAIN],
    ),
    "after a thought": (
        '<think>hm</think><tool_call>{"name": "hang_up", "arguments": {"a": 1}}</tool_call>',
        ["<think>hm</think>", ("hang_up", {"a": 1})],
    ),
    "between words": (
        'One moment. <tool_call>{"name": "hang_up", "arguments": {}}</tool_call>Bye.',
        ["One moment. ", ("hang_up", {}), "Bye."],
    ),
    "two": (
        '<tool_call>{"name": "hang_up"}</tool_call>'
        '<tool_call>{"name": "look_up", "arguments": "{\\"word\\": \\"rain\\"}"}</tool_call>',
        [("hang_up", {}), RAIN],
    ),
    "a list": (
        '<tool_call>[{"name": "hang_up"}, {"name": "hang_up"}]</tool_call>',
        [("hang_up", {}), ("hang_up", {})],
    ),
    "never closed": ('Oh. <tool_call>{"name": "hang_up", "arguments": {}}', [
        "Oh. ",
        ("hang_up", {}),
    ]),
    "broken": ('Oh. <tool_call>{"name": look_up</tool_call>Well.', ["Oh. Well."]),
    "cut off": ('Oh. <tool_call>{"name": "look_up", "argu', ["Oh. "]),
    "unknown": ('Oh. <tool_call>{"name": "explode"}</tool_call>', ["Oh. "]),
    "llama": ('{"name": "look_up", "parameters": {"word": "rain"}}', [RAIN]),
    "llama after a thought": (
        '<think>{"a"}</think>\n{"name": "look_up", "parameters": {"word": "rain"}}',
        ['<think>{"a"}</think>', RAIN],
    ),
    "two of llama": ('{"name": "hang_up", "parameters": {}}; {"name": "hang_up"}', [
        ("hang_up", {}),
        ("hang_up", {}),
    ]),
    "python tag": ('<|python_tag|>{"name": "hang_up", "parameters": {}}', [("hang_up", {})]),
    "braces": ('{hello} you', ["{hello} you"]),
    "other json": ('{"mood": "fine"} you', ['{"mood": "fine"} you']),
    "json later": ('It is {"name": "hang_up"}.', ['It is {"name": "hang_up"}.']),
    "brackets": ("a < b <tool box> <to", ["a < b <tool box> <to"]),
    "braces in strings": (
        '<tool_call>{"name": "look_up", "arguments": {"word": "}</tool"}}</tool_call>ok',
        [("look_up", {"word": "}</tool"}), "ok"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_calls_are_found_however_the_stream_is_cut(case):
    text, expected = CASES[case]

    for cut in range(len(text) + 1):
        assert parse([text[:cut], text[cut:]]) == expected
    assert parse(list(text)) == expected


@given(st.lists(st.sampled_from([*"<tool_cal>/{}\"': ", "name", "hang_up", "arguments", "think"])))
def test_any_text_is_read_alike_in_pieces_and_as_a_whole(parts):
    assert parse(parts) == parse(["".join(parts)])


def test_without_tools_bare_json_is_text_and_marked_calls_are_hidden():
    assert parse(['{"name": "hang_up"}'], ()) == ['{"name": "hang_up"}']
    assert parse(['Oh. <tool_call>{"name": "hang_up"}</tool_call>'], ()) == ["Oh. "]


def test_text_is_not_held_back_for_long():
    parser = ToolCallParser(TOOLS)

    assert parser.feed("Hello ") == ["Hello "]
    assert parser.feed("you <too") == ["you "]
    assert parser.feed(" far") == ["<too far"]


def test_each_call_has_an_id_of_its_own():
    parser = ToolCallParser(TOOLS)
    calls = parser.feed('<tool_call>{"name": "hang_up"}</tool_call>' * 2)

    assert len({call.id for call in calls}) == 2


def ended(text: str, thought_alone: bool = False) -> str:
    ending = Ending(thought_alone, ("<words>", "\nUser:"))
    return "".join(ending.feed(character) for character in text) + ending.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>a</think>Yes.", "<think>a</think>Yes."),
        ("<think>a</think>Yes.<words>No.</words>", "<think>a</think>Yes."),
        ("Yes.\nUser: no", "Yes."),
        (
            "<think>they said <words>a</words></think>b",
            "<think>they said <words>a</words></think>b",
        ),
        ("Yes <wor", "Yes <wor"),
        ("<words>a", ""),
    ],
)
def test_an_answer_ends_before_a_turn_of_the_person(text, expected):
    assert ended(text) == expected


def test_a_thought_alone_ends_with_its_tag():
    assert ended("<think>a</think>b", thought_alone=True) == "<think>a</think>"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    import tiny_language_model

    return tiny_language_model.tokenizer(tmp_path_factory.mktemp("tokenizer"))


@given(text=st.text(max_size=40).filter(lambda text: "\ufffd" not in text))
def test_any_text_comes_back_out_of_its_tokens(tokenizer, text):
    detokenizer = Detokenizer(tokenizer)
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]

    assert "".join(detokenizer.feed(token) for token in tokens) == text


def test_half_a_character_waits_for_the_other_half(tokenizer):
    detokenizer = Detokenizer(tokenizer)
    tokens = tokenizer("☃", add_special_tokens=False)["input_ids"]

    assert len(tokens) > 1
    assert [detokenizer.feed(token) for token in tokens] == [*[""] * (len(tokens) - 1), "☃"]


def test_bytes_that_make_up_no_character_do_not_stop_what_follows(tokenizer):
    detokenizer = Detokenizer(tokenizer)
    half = tokenizer("☃", add_special_tokens=False)["input_ids"][:1]
    more = tokenizer(" and on", add_special_tokens=False)["input_ids"]

    said = "".join(detokenizer.feed(token) for token in [*half * 7, *more])

    assert said == " and on"
