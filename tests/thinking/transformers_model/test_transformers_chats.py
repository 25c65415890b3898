"""How models with other chat templates are spoken to."""

import pytest

pytest.importorskip("transformers", reason="needs the extra 'transformers'")
pytest.importorskip("torch", reason="needs the extra 'transformers'")

import tiny_language_model

from voice_agent.errors import ConfigError
from voice_agent.events import (
    Conduct,
    Exchange,
    Prompt,
    Thought,
    Tool,
    ToolCall,
    ToolUse,
    UserTurn,
)
from voice_agent.thinking.models.transformers.chat import Chat

STRICT = """\
{%- if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages %}
{%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('Roles must alternate user/assistant/user/assistant/...') }}
{%- endif %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""Like Gemma's: no system message, and person and model in alternation."""

PLAIN = """\
{%- for message in messages %}<|{{ message.role }}|>
{{ message.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|assistant|>
{% endif %}"""
"""Like Zephyr's: roles in ordinary text."""

THINKING = tiny_language_model.CHATML + (
    "{%- if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n"
    "{% endif %}"
)
"""Like Qwen3's: without thoughts of the model's own only if told so."""

LLAMA = PLAIN + "{% if tools %}{{ tools | tojson }} as {name, parameters}{% endif %}"
"""Like Llama's: calls of tools are bare JSON."""

HISTORY = (
    Exchange(None, "Are you there?"),
    Exchange(UserTurn("yes"), ""),
    Exchange(UserTurn("I am sad"), "What happened?", Thought("they are sad")),
)
USE = ToolUse(ToolCall("call_1", "look_up", '{"word": "rain"}'), "wet")


@pytest.fixture
def chat(tmp_path):
    def made(template: str | None) -> Chat:
        return Chat(tiny_language_model.tokenizer(tmp_path, template), "some/model")

    return made


def rendered(chat: Chat, prompt: Prompt) -> str:
    return chat.tokenizer.decode(chat.read(prompt, 100_000).tokens)


def test_a_model_without_a_template_is_refused(chat):
    with pytest.raises(ConfigError, match=r"some/model has no chat template.*Instruct"):
        chat(None)


def test_a_template_that_fails_is_told(chat):
    with pytest.raises(ConfigError, match="chat template of some/model cannot be used: not today"):
        chat("{{ raise_exception('not today') }}")


def test_instructions_go_into_the_system_message_where_there_is_one(chat):
    text = rendered(chat(tiny_language_model.CHATML), Prompt(UserTurn("hi"), HISTORY, "Be Ada."))

    system, _, rest = text.partition("<|im_end|>")
    assert system.startswith("<|im_start|>system\n")
    assert system.endswith("Be Ada.")
    assert rest.count("<|im_start|>user") == 3
    assert rest.count("<|im_start|>assistant") == 3


def test_else_they_stand_before_the_first_words(chat):
    text = rendered(chat(STRICT), Prompt(UserTurn("hi"), (), "Be Ada."))

    first, _, rest = text.partition("<|im_end|>")
    assert first.startswith("<|im_start|>user\n")
    assert "Be Ada." in first
    assert first.endswith("<words>hi</words>")
    assert rest == "\n<|im_start|>assistant\n<think><linguistic"


def test_turns_alternate_where_they_must(chat):
    strict = chat(STRICT)

    for history in (HISTORY, HISTORY[:1], HISTORY[1:], HISTORY[1:2] * 3):
        text = rendered(strict, Prompt(UserTurn("hi"), history))
        for past in history:
            assert past.user is None or f"<words>{past.user.text}</words>" in text
            assert past.reply in text


def test_a_turn_that_begins_with_ordinary_text_is_known(chat):
    assert chat(PLAIN).next_turn == "<|user|>"
    assert chat(tiny_language_model.CHATML).next_turn == ""


def test_the_marks_of_turns_end_an_answer(chat):
    plain = chat(tiny_language_model.CHATML)

    assert plain.ends == {
        plain.tokenizer.convert_tokens_to_ids(mark) for mark in tiny_language_model.MARKS
    }


def test_a_model_does_not_think_on_its_own(chat):
    text = rendered(chat(THINKING), Prompt(UserTurn("hi")))

    assert text.endswith("<think>\n\n</think>\n<think><linguistic")


@pytest.mark.parametrize(
    ("conduct", "begun"),
    [
        (Conduct(), "<think><linguistic"),
        (Conduct(think="natural"), ""),
        (Conduct(think="none"), ""),
    ],
)
def test_the_thought_is_begun_for_it_where_its_form_is_known(chat, conduct, begun):
    reading = chat(tiny_language_model.CHATML).read(Prompt(UserTurn("hi"), conduct=conduct), 9999)

    assert reading.begun == begun


def test_tools_are_shown_and_calls_told_as_the_template_wants_them(chat):
    history = (Exchange(UserTurn("rain?"), "", tools=(USE,)),)
    tools = (Tool("look_up", "Looks a word up"),)
    asked = Prompt(UserTurn(""), history, tools=tools)

    text = rendered(chat(tiny_language_model.CHATML), asked)

    assert '"name": "look_up", "description": "Looks a word up"' in text.partition("<|im_end|>")[0]
    assert '{"name": "look_up", "arguments": {"word": "rain"}}' in text
    assert "<tool_response>wet</tool_response>" in text


@pytest.mark.parametrize("template", [STRICT, PLAIN])
def test_a_template_that_knows_no_tools_is_told_in_words(chat, template):
    history = (Exchange(UserTurn("rain?"), "", tools=(USE,)),)
    spoken_to = chat(template)
    asked = Prompt(UserTurn(""), history, tools=(Tool("look_up"),))

    text = rendered(spoken_to, asked)

    assert "wet" in text
    assert "look_up" in text
    assert spoken_to.read(asked, 9999).names == ()


@pytest.mark.parametrize(
    ("template", "choice", "begun"),
    [
        (tiny_language_model.CHATML, "auto", ""),
        (tiny_language_model.CHATML, "required", '<tool_call>\n{"name": "'),
        (tiny_language_model.CHATML, "b", '<tool_call>\n{"name": "b", "arguments":'),
        (LLAMA, "b", '{"name": "b", "parameters":'),
    ],
)
def test_a_call_that_must_come_is_begun_in_the_models_own_form(chat, template, choice, begun):
    asked = Prompt(UserTurn("hi"), tools=(Tool("a"), Tool("b")), tool_choice=choice)

    assert chat(template).read(asked, 9999).call_begun == begun


def test_of_a_conversation_that_is_too_long_the_oldest_exchanges_are_left_out(chat):
    plain = chat(tiny_language_model.CHATML)
    history = tuple(Exchange(UserTurn(f"turn {n}."), f"reply {n}.") for n in range(60))

    tokens = plain.read(Prompt(UserTurn("and now"), history), 1500).tokens

    text = plain.tokenizer.decode(tokens)
    assert len(tokens) <= 1500
    assert len(tokens) > 1200
    assert text.startswith("<|im_start|>system")
    assert "reply 59." in text
    assert "reply 0." not in text


def test_what_is_left_out_stays_the_same_for_some_turns(chat):
    plain = chat(tiny_language_model.CHATML)
    history = tuple(Exchange(UserTurn(f"turn {n}."), f"reply {n}.") for n in range(80))

    firsts = []
    for turn in range(40, 80):
        text = rendered_within(plain, history[:turn], 1500)
        firsts.append(text.partition("<words>turn ")[2].partition(".")[0])

    assert len(set(firsts)) <= 6


def rendered_within(chat: Chat, history: tuple[Exchange, ...], most: int) -> str:
    return chat.tokenizer.decode(chat.read(Prompt(UserTurn("and now"), history), most).tokens)


def test_a_language_without_spaces_is_shortened_too(chat):
    plain = chat(tiny_language_model.CHATML)

    text = plain.tokenizer.decode(plain.read(Prompt(UserTurn("我今天很难过" * 500)), 1200).tokens)

    assert "难过</words>" in text
