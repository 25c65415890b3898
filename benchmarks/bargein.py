"""How fast the agent falls silent when it is interrupted.

A recording interrupts the agent in the middle of its answers, over the websocket in real time.
Measured are the time from the first sample of the interrupting speech until the last audio of the
interrupted reply arrives, until the client is told to hold what it has buffered, and until it is
known to be an interruption; and how many words the server holds as heard, against those that a
client has played which drops its buffer when it is told to.

    python benchmarks/bargein.py [--times 20]
"""

import argparse
import asyncio
import base64
import json
import random
import time
import urllib.request
from pathlib import Path

import numpy as np
import soxr
from caller import CHUNK_S, WIRE_RATE
from recordings import DATA, Recording, read_speech
from rich.console import Console
from rich.progress import track
from rich.table import Table
from serving import server
from websockets.asyncio.client import connect

PROMPT = "Tell me everything that you can do for me, and how you hear what I feel, please."


class Listener:
    """A client that plays what it gets, one sample after the other, and drops it when told to."""

    def __init__(self) -> None:
        self.item = ""
        self.began: float | None = None
        self.received_s = 0.0
        self.last_arrival = 0.0
        self.stopped: float | None = None
        self.truncated = False
        self.held: float | None = None
        self.words: list[tuple[float, str]] = []
        self.heard_s = 0.0
        self.session: dict = {}

    def take(self, event: dict) -> dict | None:
        """Takes a server event; returns an answer to be sent, if any."""
        now = time.monotonic()
        match event["type"]:
            case "response.output_audio.delta" if not self.item or event["item_id"] == self.item:
                self.item = event["item_id"]
                self.began = self.began or now
                self.last_arrival = now
                self.received_s += len(base64.b64decode(event["delta"])) / 2 / WIRE_RATE
            case "response.output_audio_transcript.delta" if not self.truncated:
                self.words += [(self.received_s, word) for word in event["delta"].split()]
            case "voice_agent.session":
                self.session = event
            case "voice_agent.playback.paused":
                self.held = self.held or now
            case "voice_agent.playback.resumed":
                self.held = None
            case "input_audio_buffer.speech_started" if self.began and not self.truncated:
                self.truncated, self.heard_s = True, self.played_s()
                return {
                    "type": "conversation.item.truncate",
                    "item_id": self.item,
                    "content_index": 0,
                    "audio_end_ms": int(1000 * self.heard_s),
                }
            case "conversation.item.truncated":
                self.stopped = now
        return None

    def played_s(self) -> float:
        if self.began is None:
            return 0.0
        until = self.held or time.monotonic()
        return min(self.received_s, until - self.began)


async def interrupt(url: str, recording: Recording, after_s: float) -> dict | None:
    """Interrupts one answer after so many seconds of it."""
    listener = Listener()
    speech = soxr.resample(recording.audio, 16_000, WIRE_RATE).astype(np.float32)
    first = round(recording.start_s * WIRE_RATE)
    async with connect(url, max_size=None) as socket:

        async def read() -> None:
            async for message in socket:
                answer = listener.take(json.loads(message))
                if answer is not None:
                    await socket.send(json.dumps(answer))

        reader = asyncio.create_task(read())
        item = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": PROMPT}],
        }
        await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await socket.send(json.dumps({"type": "response.create"}))
        step = int(CHUNK_S * WIRE_RATE)
        position, spoken_at, began = -1, 0.0, time.monotonic()
        sent = 0
        while time.monotonic() - began < 20 and not listener.stopped:
            chunk = np.zeros(step, np.float32)
            if position < 0 and listener.played_s() > after_s:
                position = 0
            if position >= 0:
                part = speech[position : position + step]
                chunk[: len(part)] = part
                if position <= first < position + step:
                    spoken_at = time.monotonic() - (step - (first - position)) / WIRE_RATE
                position += step
            pcm = (chunk * 32767).astype("<i2").tobytes()
            sent += step
            await asyncio.sleep(max(0.0, began + sent / WIRE_RATE - time.monotonic()))
            event = {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}
            await socket.send(json.dumps(event))
        reader.cancel()
    if listener.stopped is None or not spoken_at:
        return None
    return {
        "path": recording.path,
        "silent_ms": 1000 * (listener.last_arrival - spoken_at),
        "held_ms": 1000 * ((listener.held or listener.stopped) - spoken_at),
        "decided_ms": 1000 * (listener.stopped - spoken_at),
        "words_off": await words_off(url, listener),
    }


async def words_off(url: str, listener: Listener) -> int:
    """By how many words the server's record of what was heard differs from what was played."""
    page = url.replace("ws://", "http://").replace("/v1/realtime", "/v1/conversations/")
    request = urllib.request.Request(
        page + listener.session["session_id"],
        headers={"Authorization": f"Bearer {listener.session['secret']}"},
    )
    answer = await asyncio.to_thread(urllib.request.urlopen, request)
    record = json.load(answer)["turns"][0]
    played = sum(at < listener.heard_s for at, _ in listener.words)
    return len(record["heard"].split()) - played


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "speech_read")
    parser.add_argument("--times", type=int, default=20)
    arguments = parser.parse_args()
    chance = random.Random(1)
    recordings = chance.sample(read_speech(arguments.data), arguments.times)
    async with server() as (url, _):
        results = [
            await interrupt(url, recording, chance.uniform(0.8, 2.0))
            for recording in track(recordings, console=Console(stderr=True))
        ]
    kept = [result for result in results if result is not None]
    table = Table(title=f"{len(kept)} of {len(results)} interruptions taken as such")
    for name in ("from the first sample of the speech", "median", "95 %", "max"):
        table.add_column(name, justify="right")
    for key, name in (
        ("silent_ms", "last audio of the reply left"),
        ("held_ms", "client told to hold its buffer"),
        ("decided_ms", "known to be an interruption"),
    ):
        values = [result[key] for result in kept]
        table.add_row(name, *(f"{np.percentile(values, q):.0f} ms" for q in (50, 95, 100)))
    console = Console(width=100)
    console.print(table)
    off = [abs(result["words_off"]) for result in kept]
    console.print(
        f"Words held as heard against words played: {sum(o <= 1 for o in off)} of {len(off)} "
        f"within one word, at most {max(off)} off."
    )
    slowest = max(kept, key=lambda result: result["silent_ms"])
    console.print(f"Slowest: {slowest['path']}")


if __name__ == "__main__":
    asyncio.run(main())
