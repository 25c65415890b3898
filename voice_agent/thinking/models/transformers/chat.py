"""From a prompt to the tokens that a model reads, by its own chat template."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from voice_agent.errors import ConfigError, EngineError
from voice_agent.events import Prompt, Tool
from voice_agent.thinking.dual_thinking import render_messages
from voice_agent.thinking.models.transformers.tool_calls import (
    CLOSING,
    OPENING,
    PYTHON_TAG,
    THOUGHT_BEGINS,
    THOUGHT_ENDS,
)

Message = dict[str, Any]

_THOUGHT_BEGUN = "<think><linguistic"
"""What an answer begins with. The last bracket is left to the model: with what follows it, it may
be one token."""

_DROPPED_AT_ONCE = 8
"""Exchanges by which a conversation that is too long is shortened: were it one, the beginning that
the model has read would be another one in each turn."""

_OURS = {THOUGHT_BEGINS, THOUGHT_ENDS, OPENING, CLOSING, PYTHON_TAG}
"""Special tokens of some models that belong to what an answer says."""

_SYSTEM, _USER, _REPLY = "Be kind.", "How are you today?", "Fine, as always."


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt as the model reads it.

    Attributes:
        tokens: All of it.
        begun: The beginning of the answer, which was put into the model's mouth.
        call_begun: With what a call begins that must follow the thought; empty where none must.
        names: Tools that may be called.
    """

    tokens: list[int]
    begun: str
    call_begun: str
    names: tuple[str, ...]


class Chat:
    """How a model is spoken to.

    Attributes:
        tokenizer: The model's tokenizer.
        ends: Tokens that end an answer: the model's marks of turns and the like.
        next_turn: With what a next turn of the person begins, where it is ordinary text.
    """

    def __init__(self, tokenizer: Any, name: str) -> None:
        """Learns from the template what the model takes.

        Args:
            tokenizer: Tokenizer with a chat template.
            name: What the model is called in the configuration, for errors.

        Raises:
            ConfigError: There is no chat template, or one that cannot be used.
        """
        self.tokenizer = tokenizer
        if not tokenizer.chat_template:
            raise ConfigError(
                f"thinking.language_model.model: {name} has no chat template, so it was not made "
                "for conversation; choose its variant named Instruct, Chat or it"
            )
        special = {
            token.content: number
            for number, token in tokenizer.added_tokens_decoder.items()
            if token.special and token.content not in _OURS
        }
        self._special = re.compile("|".join(map(re.escape, special)) or r"(?!)")
        self.ends = frozenset(special.values())
        system = {"role": "system", "content": _SYSTEM}
        user, reply = {"role": "user", "content": _USER}, {"role": "assistant", "content": _REPLY}
        try:
            whole = self._template([user, reply, user])
        except Exception as error:  # a template is a program and may raise anything
            raise ConfigError(
                f"thinking.language_model.model: the chat template of {name} cannot be used: "
                f"{str(error).partition(chr(10))[0]}"
            ) from error
        self._has_system = self._shows([system, user], _SYSTEM)
        self._takes_any_order = self._shows([reply, user, user], _REPLY)
        self._has_tools = self._shows([user], "look_up", tools=[_as_schema(Tool("look_up"))])
        between = whole.partition(_REPLY)[2].partition(_USER)[0]
        ending = self._special.match(between.lstrip())
        rest = between.lstrip()[ending.end() :] if ending else between
        begins = self._special.split(rest)[0].strip()
        self.next_turn = begins if len(begins) > 2 else ""
        self._calls_bare = OPENING not in str(tokenizer.chat_template)

    def read(self, prompt: Prompt, most: int) -> Reading:
        """The tokens of a prompt; of one that is too long the oldest exchanges are left out.

        Args:
            prompt: The prompt.
            most: Tokens that it may have.

        Raises:
            EngineError: The instructions alone are too long.
        """
        for dropped in range(0, len(prompt.history) + _DROPPED_AT_ONCE, _DROPPED_AT_ONCE):
            reading = self._reading(replace(prompt, history=prompt.history[dropped:]))
            if len(reading.tokens) <= most:
                return reading
        return self._shortened(replace(prompt, history=()), most)

    def _shortened(self, prompt: Prompt, most: int) -> Reading:
        """With the end of what was said alone: it is what waits for an answer."""
        text = prompt.turn.text
        kept, fits = len(text), None
        while kept and fits is None:
            kept //= 2
            end = text[len(text) - kept :]
            words = end.partition(" ")[2] or end
            reading = self._reading(replace(prompt, turn=replace(prompt.turn, text=words)))
            fits = reading if len(reading.tokens) <= most else None
        if fits is None:
            raise EngineError(
                f"the instructions do not fit into the {most} tokens that the model can read; "
                "shorten thinking.instructions, or raise thinking.language_model.context_tokens"
            )
        return fits

    def _reading(self, prompt: Prompt) -> Reading:
        tools = () if prompt.tool_choice == "none" or not self._has_tools else prompt.tools
        if prompt.tool_choice in {tool.name for tool in tools}:
            tools = tuple(tool for tool in tools if tool.name == prompt.tool_choice)
        call = self._call(prompt.tool_choice, tools) if prompt.aim == "reply" else ""
        if prompt.conduct.think == "none":
            begun, call = call, ""
        else:
            begun = _THOUGHT_BEGUN if prompt.conduct.think == "tags" and not prompt.draft else ""
        messages = [self._made_plain(message) for message in render_messages(prompt)]
        text = self._template(self._in_order(messages), tools=[_as_schema(tool) for tool in tools])
        return Reading(self.tokens(text + begun), begun, call, tuple(tool.name for tool in tools))

    def tokens(self, text: str) -> list[int]:
        """A text in tokens, the model's own marks among them."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _call(self, choice: str, tools: Sequence[Tool]) -> str:
        """The beginning of a call, where one must come."""
        if not tools or choice == "auto":
            return ""
        opening, arguments = (
            ("", "parameters") if self._calls_bare else (f"{OPENING}\n", "arguments")
        )
        # Ends where a token ends, too: the model goes on with a space of its own.
        chosen = f'{tools[0].name}", "{arguments}":' if len(tools) == 1 else ""
        return f'{opening}{{"name": "{chosen}'

    def _template(self, messages: Sequence[Message], tools: Sequence[Message] = ()) -> str:
        text: str = self.tokenizer.apply_chat_template(
            list(messages),
            tools=list(tools) or None,
            tokenize=False,
            add_generation_prompt=True,
            # Models that think by themselves shall do so in our form, and nowhere else.
            enable_thinking=False,
        )
        return text

    def _shows(self, messages: Sequence[Message], text: str, tools: Sequence[Message] = ()) -> bool:
        try:
            return text in self._template(messages, tools)
        except Exception:  # a template is a program and may raise anything
            return False

    def _made_plain(self, message: Message) -> Message:
        """A message without the model's own marks of turns, which nobody but us may set.

        Arguments of calls become objects, as templates want them.
        """
        plain = dict(message)
        if isinstance(plain.get("content"), str):
            plain["content"] = self._special.sub(" ", plain["content"])
        if calls := plain.get("tool_calls"):
            plain["tool_calls"] = [_with_object(call) for call in calls]
        return plain

    def _in_order(self, messages: list[Message]) -> list[Message]:
        """What the template takes: with no system message, or person and agent in alternation."""
        if not self._has_system and messages[0]["role"] == "system":
            instructions, *rest = messages
            first = {"role": "user", "content": instructions["content"]}
            messages = [first, *rest]
        if not self._has_tools:
            messages = [_as_text(message) for message in messages]
        if self._has_system and self._takes_any_order:
            return messages
        ordered: list[Message] = []
        for message in messages:
            last = ordered[-1] if ordered else None
            if last and last["role"] == message["role"] and not _structured(last, message):
                content = "\n\n".join(filter(None, (last["content"], message["content"])))
                ordered[-1] = {**last, "content": content}
                continue
            if message["role"] == "assistant" and (last is None or last["role"] == "system"):
                ordered.append({"role": "user", "content": "(says nothing)"})
            ordered.append(message)
        return ordered


def _structured(*messages: Message) -> bool:
    return any(message.get("tool_calls") or message["role"] == "tool" for message in messages)


def _as_text(message: Message) -> Message:
    """Calls and their results told in words, for a template that knows of neither."""
    if message["role"] == "tool":
        return {"role": "user", "content": f"<tool_response>{message['content']}</tool_response>"}
    if calls := message.get("tool_calls"):
        told = [json.dumps(call["function"], ensure_ascii=False) for call in calls]
        content = "".join([message.get("content") or "", *told])
        return {"role": "assistant", "content": content}
    return message


def _with_object(call: Mapping[str, Any]) -> Message:
    function = dict(call["function"])
    if isinstance(function.get("arguments"), str):
        try:
            function["arguments"] = json.loads(function["arguments"] or "{}")
        except ValueError:
            function["arguments"] = {"text": function["arguments"]}
    return {**call, "function": function}


def _as_schema(tool: Tool) -> Message:
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": parameters,
        },
    }
