"""The page's own signal processing and text pacing, run inside the browser that they are for."""

import itertools
import math
from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

# --- resampler ------------------------------------------------------------------------------

RESAMPLE = """([from, to, hz, seconds, step]) => {
  const input = Float32Array.from({length: Math.round(from * seconds)},
    (_, i) => Math.sin(2 * Math.PI * hz * i / from));
  const resampler = new all.Resampler(from, to);
  const output = [];
  for (let i = 0; i < input.length; i += step) {
    output.push(...resampler.process(input.subarray(i, i + step)));
  }
  output.push(...resampler.flush());
  return output;
}"""

RATES = [
    (48000, 24000),
    (44100, 24000),
    (96000, 24000),
    (16000, 24000),
    (24000, 24000),
    (24000, 48000),
    (24000, 44100),
    (24000, 16000),
]


@pytest.mark.parametrize(("source", "target"), RATES)
async def test_resampling_keeps_a_tone_and_its_place_in_time(
    modules: Page, source: int, target: int
) -> None:
    output = await modules.evaluate(RESAMPLE, [source, target, 1000, 0.1, 128])
    assert len(output) == math.ceil(0.1 * target)
    middle = range(len(output) // 4, 3 * len(output) // 4)
    worst = max(abs(output[i] - math.sin(2 * math.pi * 1000 * i / target)) for i in middle)
    assert worst < 1e-3


async def test_resampling_does_not_depend_on_the_pieces(modules: Page) -> None:
    whole = await modules.evaluate(RESAMPLE, [44100, 24000, 700, 0.2, 8820])
    pieces = await modules.evaluate(RESAMPLE, [44100, 24000, 700, 0.2, 37])
    assert pieces == whole


@pytest.mark.parametrize("hz", [13500, 16000, 20000])
async def test_resampling_down_removes_what_the_lower_rate_cannot_carry(
    modules: Page, hz: int
) -> None:
    output = await modules.evaluate(RESAMPLE, [48000, 24000, hz, 0.1, 480])
    middle = output[len(output) // 4 : 3 * len(output) // 4]
    level = math.sqrt(sum(x * x for x in middle) / len(middle)) / math.sqrt(0.5)
    assert 20 * math.log10(level + 1e-9) < -60


async def test_pcm_survives_the_wire(modules: Page) -> None:
    out = await modules.evaluate(
        """() => {
          const samples = Float32Array.of(0, 0.5, -0.5, 1, -1, 2, -2, 1 / 32767);
          return [...all.fromBase64(all.toBase64(all.toPcm16(samples).buffer))];
        }"""
    )
    expected = [0, 0.5, -0.5, 1, -1, 1, -1, 1 / 32767]
    assert out == pytest.approx(expected, abs=2 / 32768)


# --- jitter buffer --------------------------------------------------------------------------

BUFFER = """([steps, keep]) => {
  // Rate 48 kHz; times in ms; "pull" collects what is heard. All audio is a constant 1.
  const buffer = new all.JitterBuffer(48000);
  const heard = [], events = [], positions = [];
  for (const [what, value, item] of steps) {
    const samples = Math.round(value * 48);
    if (what === "push") buffer.push(item ?? "a", new Float32Array(samples).fill(1));
    else if (what === "end") buffer.end(item ?? "a");
    else if (what === "hold") buffer.held = true;
    else if (what === "resume") buffer.held = false;
    else if (what === "drop") buffer.drop();
    else if (what === "pull") {
      for (let done = 0; done < samples; done += 48) {
        const out = new Float32Array(48);
        buffer.pull(out);
        if (keep) heard.push(...out);
      }
      positions.push(buffer.position);
    }
    events.push(...buffer.takeEvents().map((event) => ({ ...event, at: heard.length })));
  }
  return { heard, events, positions, targetMs: buffer.targetMs };
}"""


async def play(modules: Page, *steps: tuple[Any, ...], keep: bool = True) -> dict[str, Any]:
    result: dict[str, Any] = await modules.evaluate(BUFFER, [[list(s) for s in steps], keep])
    return result


def jumps(heard: list[float]) -> float:
    return max(abs(a - b) for a, b in itertools.pairwise(heard))


NO_CLICK = 1 / (0.005 * 48000)
"""A fade of at least 5 ms."""


async def test_playback_waits_until_enough_is_there(modules: Page) -> None:
    result = await play(modules, ("push", 60), ("pull", 20), ("push", 15), ("pull", 20))
    assert max(result["heard"][: 20 * 48]) == 0
    assert result["heard"][20 * 48] == 1
    assert result["positions"][-1] == {"item": "a", "played": 20 * 48}


async def test_a_short_reply_starts_at_once_when_it_is_complete(modules: Page) -> None:
    result = await play(modules, ("push", 10), ("end", 0), ("pull", 30))
    assert sum(result["heard"]) == 10 * 48
    assert [event["type"] for event in result["events"]] == ["started", "finished"]
    assert result["events"][-1]["played"] == 10 * 48


async def test_running_dry_fades_and_grows_the_buffer_by_5_ms(modules: Page) -> None:
    result = await play(modules, ("push", 100), ("pull", 150), ("push", 60), ("pull", 10))
    assert [event["type"] for event in result["events"]] == ["started", "underrun"]
    assert result["targetMs"] == 75
    assert jumps(result["heard"][1:]) <= NO_CLICK
    assert result["heard"][-1] == 0, "60 ms are not enough any more"
    again = await play(modules, ("push", 100), ("pull", 150), ("push", 76), ("pull", 10))
    assert again["heard"][-1] == 1
    assert again["positions"][-1]["played"] == 110 * 48, "nothing is lost on the way"


async def test_the_buffer_grows_to_a_bound_and_shrinks_again(modules: Page) -> None:
    dry = [("push", 300), ("pull", 400)] * 60
    grown = await play(modules, *dry, keep=False)
    assert grown["targetMs"] == 250
    smooth = [s for i in range(60) for s in (("push", 50, f"{i}"), ("end", 0, f"{i}"))]
    calmed = await play(modules, *dry, ("end", 0), *smooth, ("pull", 3100), keep=False)
    assert calmed["targetMs"] == 70


async def test_holding_fades_stops_and_goes_on_at_the_same_sample(modules: Page) -> None:
    result = await play(
        modules,
        ("push", 300),
        ("pull", 100),
        ("hold", 0),
        ("pull", 50),
        ("pull", 50),
        ("resume", 0),
        ("pull", 50),
    )
    heard, positions = result["heard"], [each["played"] for each in result["positions"]]
    assert max(heard[110 * 48 : 200 * 48]) == 0, "silent within 10 ms"
    assert positions[1] == positions[2], "and stays where it is"
    assert positions[3] == positions[2] + 50 * 48
    assert heard[-1] == 1
    assert jumps(heard[1:]) <= NO_CLICK


async def test_dropping_fades_and_tells_what_was_played(modules: Page) -> None:
    result = await play(modules, ("push", 500), ("pull", 100), ("drop", 0), ("pull", 50))
    event = result["events"][-1]
    assert (event["type"], event["item"]) == ("dropped", "a")
    assert 100 * 48 <= event["played"] <= 106 * 48
    assert max(result["heard"][110 * 48 :]) == 0
    assert jumps(result["heard"][1:]) <= NO_CLICK
    assert result["positions"][-1] is None


async def test_dropping_what_is_held_keeps_the_position(modules: Page) -> None:
    held = await play(modules, ("push", 500), ("pull", 100), ("hold", 0), ("pull", 50), ("drop", 0))
    event = held["events"][-1]
    assert event["type"] == "dropped"
    assert event["played"] == held["positions"][-1]["played"]


async def test_dropping_nothing_is_answered_too(modules: Page) -> None:
    result = await play(modules, ("drop", 0), ("push", 100), ("pull", 20))
    assert result["events"][0] == {"type": "dropped", "item": None, "played": 0, "at": 0}
    assert result["heard"][-1] == 1, "and what comes next is played"


async def test_items_are_played_one_after_another(modules: Page) -> None:
    result = await play(
        modules, ("push", 100, "a"), ("end", 0, "a"), ("push", 100, "b"), ("pull", 150)
    )
    kinds = [(event["type"], event["item"]) for event in result["events"]]
    assert kinds == [("started", "a"), ("finished", "a"), ("started", "b")]
    assert min(result["heard"]) == 1, "without a gap"
    assert result["positions"][-1] == {"item": "b", "played": 50 * 48}


# --- pacing ---------------------------------------------------------------------------------

PACE = """([steps, at]) => {
  const pacing = new all.Pacing();
  for (const step of steps) {
    if (typeof step === "string") pacing.text(step);
    else if (step === null) pacing.complete();
    else pacing.audio(step);
  }
  return at.map((samples) => pacing.charactersAt(samples));
}"""


async def pace(modules: Page, steps: list[str | int | None], at: list[int]) -> list[int]:
    result: list[int] = await modules.evaluate(PACE, [steps, at])
    return result


async def test_text_sent_with_its_audio_follows_it_piece_by_piece(modules: Page) -> None:
    steps = ["x" * 10, 24000, "y" * 30, 24000, None]
    assert await pace(modules, steps, [0, 12000, 24000, 36000, 48000]) == [0, 5, 10, 25, 40]


async def test_text_sent_ahead_is_spread_over_the_audio_once_its_length_is_known(
    modules: Page,
) -> None:
    assert await pace(modules, ["x" * 40, 48000, None], [12000, 24000, 48000]) == [10, 20, 40]


async def test_the_pauses_between_sentences_count(modules: Page) -> None:
    text = "x" * 9 + "." + "y" * 5
    assert await pace(modules, [text, 20000, None], [9000, 14000, 15000, 19000]) == [9, 9, 10, 14]


async def test_before_that_a_usual_pace_is_assumed_and_never_more_than_is_there(
    modules: Page,
) -> None:
    assert await pace(modules, ["x" * 40, 24000], [0, 24000, 240000]) == [0, 17, 40]
    assert await pace(modules, [], [24000]) == [0]
