"""The time line's and the trail's own reckoning, on a clock that the tests move."""

import itertools
from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOLLOW = """(steps) => {
  let now = 1000, level = 0;
  const connection = Object.assign(new EventTarget(), { status: "open" });
  const timeline = new all.Timeline(connection, () => level, () => now);
  const tell = (type, detail) => connection.dispatchEvent(new CustomEvent(type, { detail }));
  for (const [what, value, more] of steps) {
    if (what === "audio") {  // seconds of it, sent in pieces of 20 ms
      level = more ?? 0.1;
      for (let i = 0; i < Math.round(value * 50); i += 1) {
        now += 0.02;
        tell("sent", { type: "input_audio_buffer.append", audio: "A".repeat(1280) });
      }
    } else if (what === "wait") now += value;
    else if (what === "playing") timeline.playing(value);
    else if (what === "status") { connection.status = value; tell("status"); }
    else tell("message", { type: what, ...value });
  }
  const whole = (time) => time === null ? null : Math.round(10 * (time - 1000)) / 10;
  return {
    spans: timeline.spans.map(({ item, from, to }) => [item, whole(from), whole(to)]),
    sounds: timeline.sounds.map(({ label, from, to }) => [label, whole(from), whole(to)]),
    levels: Array.from({ length: 30 }, (_, i) => timeline.levelAt(Math.floor(10 * now) - 29 + i)),
  };
}"""


def started(item: str, ms: int) -> tuple[str, dict[str, Any]]:
    return "input_audio_buffer.speech_started", {"item_id": item, "audio_start_ms": ms}


def stopped(ms: int) -> tuple[str, dict[str, Any]]:
    return "input_audio_buffer.speech_stopped", {"audio_end_ms": ms}


def reading(item: str, *sounds: tuple[str, float, float]) -> tuple[str, dict[str, Any]]:
    events = [{"label": la, "start": a, "end": b, "confidence": 0.5} for la, a, b in sounds]
    return "voice_agent.paralinguistics", {"item_id": item, "paralinguistics": {"events": events}}


async def follow(modules: Page, *steps: tuple[Any, ...]) -> dict[str, Any]:
    result: dict[str, Any] = await modules.evaluate(FOLLOW, [list(step) for step in steps])
    return result


async def test_the_times_of_a_session_are_those_of_the_audio_sent(modules: Page) -> None:
    seen = await follow(
        modules,
        ("wait", 5),
        ("session.created", {}),
        ("audio", 4),
        started("a", 1000),
        reading("a", ("laugh", 2.0, 2.5)),
        stopped(3500),
    )
    assert seen["spans"] == [["a", 6, 8.5]]
    assert seen["sounds"] == [["laugh", 7, 7.5]]


async def test_while_no_audio_is_sent_the_time_of_the_session_stands_still(modules: Page) -> None:
    seen = await follow(
        modules,
        ("audio", 2),
        ("wait", 10),
        ("audio", 2),
        reading("a", ("sigh", 1.0, 1.5), ("laugh", 3.0, 3.5)),
    )
    assert seen["sounds"] == [["sigh", 1, 1.5], ["laugh", 13, 13.5]]


async def test_another_session_counts_from_its_own_beginning(modules: Page) -> None:
    seen = await follow(
        modules,
        ("audio", 6),
        started("a", 5000),
        ("status", "waiting"),
        ("wait", 3),
        ("session.created", {}),
        ("audio", 2),
        started("b", 1000),
    )
    assert seen["spans"] == [["a", 5, 6], ["b", 10, None]]


async def test_a_turn_by_the_talk_button_begins_with_its_audio(modules: Page) -> None:
    seen = await follow(
        modules,
        ("audio", 1),
        ("wait", 20),
        ("audio", 2),
        ("voice_agent.caption", {"item_id": "a"}),
        ("input_audio_buffer.committed", {"item_id": "a"}),
        reading("a"),
    )
    assert seen["spans"] == [["a", 21, 23]]


async def test_replies_last_as_long_as_they_sound(modules: Page) -> None:
    seen = await follow(
        modules,
        ("playing", None),
        ("playing", "r1"),
        ("wait", 2),
        ("playing", "r1"),
        ("wait", 1),
        ("playing", "r2"),
        ("wait", 1),
        ("playing", None),
        ("playing", None),
    )
    assert seen["spans"] == [["r1", 0, 3], ["r2", 3, 4]]


async def test_the_level_is_that_of_what_was_sent_and_nothing_where_nothing_was(
    modules: Page,
) -> None:
    seen = await follow(modules, ("audio", 1, 0.5), ("wait", 1), ("audio", 1, 0.25))
    levels = seen["levels"]
    assert levels[1:9] == [0.5] * 8
    assert levels[11:19] == [0] * 8
    assert levels[21:29] == [0.25] * 8


async def test_after_hours_only_the_last_minutes_are_kept(modules: Page) -> None:
    def turn(i: int) -> tuple[tuple[Any, ...], ...]:
        at = 3600 + 20 * i  # no audio was sent, so that all times are that of the page
        item = f"i{i}"
        return started(item, at), reading(item, ("laugh", at, at + 1)), stopped(at), ("wait", 20)

    steps = [step for i in range(1000) for step in turn(i)]
    seen = await follow(modules, *steps)
    assert 5 <= len(seen["spans"]) <= 8
    assert 5 <= len(seen["sounds"]) <= 8
    flood = [("laugh", 0.0, 1.0)] * 5000
    seen = await follow(modules, reading("a", *flood))
    assert len(seen["sounds"]) == 100


# --- labels ---------------------------------------------------------------------------------


async def labels(modules: Page, *sounds: tuple[str, float]) -> list[list[Any]]:
    result: list[list[Any]] = await modules.evaluate(
        """(sounds) => all.labels(sounds.map(([label, to]) => ({ label, to })), 0.1)
             .map(({ text, to, upper }) => [text, to, upper])""",
        [list(sound) for sound in sounds],
    )
    return result


async def test_labels_use_two_rows_before_they_share_one(modules: Page) -> None:
    apart = await labels(modules, ("laugh", 1.0), ("cough", 2.0))
    assert apart == [["laugh", 1.0, False], ["cough", 2.0, False]]
    close = await labels(modules, ("laugh", 1.0), ("cough", 1.2))
    assert close == [["laugh", 1.0, False], ["cough", 1.2, True]]
    crowd = await labels(modules, ("laugh", 1.0), ("laugh", 1.2), ("sigh", 1.4), ("cough", 9.0))
    assert [text for text, _, _ in crowd] == ["laugh", "laugh, sigh", "cough"]
    crowd = await labels(modules, *[("laugh", 1 + i / 10) for i in range(9)])
    assert sorted(text for text, _, _ in crowd) == ["laugh", "laugh", "laugh ×7"]


async def test_many_labels_never_overlap(modules: Page) -> None:
    made = await labels(modules, *[("throat clearing", 0.3 * i) for i in range(200)])
    for upper in (False, True):
        row = [(to - 0.1 * len(text), to) for text, to, at in made if at == upper]
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(row))


# --- the trail ------------------------------------------------------------------------------


async def test_trails_are_bounded(modules: Page) -> None:
    lengths = await modules.evaluate(
        """() => {
          const conversation = new all.Conversation();
          for (let turn = 0; turn < 50; turn += 1) {
            conversation.hear(`i${turn}`);
            for (let i = 0; i < 100; i += 1) {
              conversation.heardHow(`i${turn}`, { valence: { value: i / 100, confidence: 1 } });
            }
          }
          return conversation.entries.map(({ trail }) => trail.map(({ valence }) => valence.value));
        }"""
    )
    assert {len(trail) for trail in lengths} == {1, 24}
    assert sum(len(trail) > 1 for trail in lengths) <= 12
    assert {trail[-1] for trail in lengths} == {0.99}, "where each ended stays"
