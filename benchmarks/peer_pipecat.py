"""The same recordings played to an agent built with another framework, pipecat, on our engines.

Prints the table of ``latency.py``, by the same definitions, for several ways of telling that a turn
is over. The framework's own are the pipeline, voice activity (Silero with its defaults: 0.2 s of
silence), the end of the turn (Smart Turn v3.2, or a fixed silence), the cutting of the reply into
sentences, and the bases of transport and services. Ours are the engines (``peer_engines.py``):
pocketsphinx decoding while the person speaks, a language model that always says the same, and
espeak-ng; and a transport inside the process, so that these figures hold no network, where those
of ``latency.py`` hold a websocket. All runs in one process, this player included.

"After the wait" begins where the framework's end of turn has waited long enough: Smart Turn said
complete, or the silence was long enough. The recognizer's final text may come later than that.

It needs an environment of its own, and nothing of our package but the ends of the last words:

    python benchmarks/recordings.py --json /tmp/recordings.json
    python -m venv /tmp/peer && /tmp/peer/bin/pip install -r benchmarks/peer-requirements.txt
    /tmp/peer/bin/python benchmarks/peer_pipecat.py /tmp/recordings.json [--every 4]
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import psutil
import soundfile
from caller import AUDIBLE, CHUNK_S, WIRE_RATE
from loguru import logger
from peer_engines import Espeak, FixedReply, Marks, Pocketsphinx, Voice
from pipecat.audio.turn.base_turn_analyzer import EndOfTurnState
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    OutputAudioRawFrame,
    StartFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.turns.types import ProcessFrameResult
from pipecat.turns.user_stop import (
    BaseUserTurnStopStrategy,
    SpeechTimeoutUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner
from rich.console import Console
from rich.progress import track
from rich.table import Table

DATA = Path(
    os.environ.get("VOICE_AGENT_TEST_DATA", Path(__file__).parent.parent.parent / "shared" / "data")
)
RATE = 16_000
CHUNK = int(CHUNK_S * RATE)
NO_REPLY_S = 6.0
VAD_STOP_S = 0.2


@dataclass
class Measured:
    """One recording. Times in milliseconds, None where no reply was heard."""

    path: str
    corpus: str
    voice_to_voice_ms: float | None
    early: bool
    after_wait_ms: float | None
    own_ms: float | None
    late_ms: float
    streamed_s: float
    cpu_s: float
    memory_mb: float


class Input(BaseInputTransport):
    """Takes what ``play`` pushes."""

    def __init__(self) -> None:
        super().__init__(TransportParams(audio_in_enabled=True))

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)


class Output(BaseOutputTransport):
    """Takes the reply at the pace of its playback, and notes when it is first audible."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(TransportParams(audio_out_enabled=True))
        self.marks = marks
        self.heard: Marks | None = None
        self.played = 0.0

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        now = time.monotonic()
        if self.marks.arrived is None:
            self.marks.arrived = now
        samples = np.frombuffer(frame.audio, "<i2")
        loud = np.flatnonzero(np.abs(samples.astype(int)) > AUDIBLE * 32768)
        if loud.size and self.heard is None:
            self.heard = replace(self.marks, audible=now + loud[0] / frame.sample_rate)
        self.played = max(self.played, now) + len(samples) / frame.sample_rate
        await asyncio.sleep(self.played - now)
        return True


class SmartTurn(LocalSmartTurnAnalyzerV3):
    """The framework's own, noting when it calls the turn complete."""

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self.marks = marks

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        return self.noted(super().append_audio(buffer, is_speech))

    async def analyze_end_of_turn(self):
        state, metrics = await super().analyze_end_of_turn()
        return self.noted(state), metrics

    def noted(self, state: EndOfTurnState) -> EndOfTurnState:
        if state == EndOfTurnState.COMPLETE:
            self.marks.decided = time.monotonic()
        return state


class FixedTime(SpeechTimeoutUserTurnStopStrategy):
    """The framework's own, noting when its time is over."""

    def __init__(self, marks: Marks, seconds: float) -> None:
        super().__init__(user_speech_timeout=seconds)
        self.marks = marks
        self.seconds = seconds

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            self.marks.decided = time.monotonic() + self.seconds
        return await super().process_frame(frame)


def end_of_turn(name: str, marks: Marks) -> BaseUserTurnStopStrategy:
    """``smart-turn``, or seconds of silence in all, the first of which the VAD waits for."""
    if name == "smart-turn":
        return TurnAnalyzerUserTurnStopStrategy(turn_analyzer=SmartTurn(marks))
    return FixedTime(marks, float(name) - VAD_STOP_S)


async def play(source: Input, output: Output, audio: np.ndarray) -> tuple[float, float, float]:
    """Plays a recording in real time, then room noise until the reply began or none came.

    Returns when it began (``time.monotonic()``), the seconds played, and by how many seconds the
    latest chunk was late.
    """
    noise = np.random.default_rng(0)
    started = time.monotonic()
    sent, late = 0, 0.0
    while True:
        now = time.monotonic()
        if sent >= len(audio):
            if output.heard is not None and now > output.heard.audible + 0.1:
                break
            if output.heard is None and now > started + len(audio) / RATE + NO_REPLY_S:
                break
        chunk = audio[sent : sent + CHUNK]
        room = noise.normal(0, 3e-4, CHUNK - len(chunk)) * 32768
        chunk = np.concatenate([chunk, np.round(room)]).astype("<i2")
        sent += CHUNK
        # A microphone hands a chunk over when its last sample was taken.
        ahead = started + sent / RATE - now
        if ahead > 0:
            await asyncio.sleep(ahead)
        late = max(late, -ahead)
        await source.push_audio_frame(InputAudioRawFrame(chunk.tobytes(), RATE, 1))
    return started, sent / RATE, late


async def turn(recording: dict, folder: Path, name: str, voice: Voice) -> Measured:
    """One recording, in a pipeline of its own. Setting it up is not counted."""
    gc.collect()  # what is left of the conversation before
    marks = Marks()
    source, output = Input(), Output(marks)
    aggregators = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=SileroVADAnalyzer(params=VADParams(stop_secs=VAD_STOP_S)),
            user_turn_strategies=UserTurnStrategies(stop=[end_of_turn(name, marks)]),
        ),
    )
    worker = PipelineWorker(
        Pipeline(
            [
                source,
                Pocketsphinx(marks),
                aggregators.user(),
                FixedReply(marks),
                Espeak(marks, voice),
                output,
                aggregators.assistant(),
            ]
        ),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=WIRE_RATE),
        enable_rtvi=False,
    )
    ready = asyncio.Event()

    @worker.event_handler("on_pipeline_started")
    async def started(*_: object) -> None:
        ready.set()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    await ready.wait()
    audio, _ = soundfile.read(folder / recording["path"], dtype="int16")
    before = sum(psutil.Process().cpu_times()[:2])
    began, streamed, late = await play(source, output, audio)
    cpu = sum(psutil.Process().cpu_times()[:2]) - before
    memory = psutil.Process().memory_full_info().uss / 1e6
    await worker.cancel()
    await running

    total = after = own = None
    if heard := output.heard:
        total = 1000 * float(heard.audible - began - recording["end_s"])
        if heard.decided:  # else the framework's watchdog ended the turn
            after = 1000 * float(heard.audible - heard.decided)
            own = 1000 * (heard.arrived - max(heard.decided, heard.text) - heard.voice_s)
    return Measured(
        recording["path"],
        recording["corpus"],
        voice_to_voice_ms=total,
        early=total is not None and total < 0,
        after_wait_ms=after,
        own_ms=own,
        late_ms=1000 * late,
        streamed_s=streamed,
        cpu_s=cpu,
        memory_mb=memory,
    )


def report(console: Console, results: list[Measured], title: str) -> None:
    table = Table(title=title)
    for name in ("", "n", "early", "median", "95 %", "max", "no reply", "after the wait", "95 %"):
        table.add_column(name, justify="right" if name else "left")
    groups = {"all": results}
    for corpus in sorted({result.corpus for result in results}):
        groups[corpus] = [result for result in results if result.corpus == corpus]
    for name, group in groups.items():
        answered = [r for r in group if r.voice_to_voice_ms is not None and not r.early]
        waits = [r.voice_to_voice_ms for r in answered] or [np.nan]
        after = [r.after_wait_ms for r in answered if r.after_wait_ms is not None]
        table.add_row(
            name,
            str(len(group)),
            f"{100 * np.mean([r.early for r in group]):.1f} %",
            *(f"{np.percentile(waits, q):.0f} ms" for q in (50, 95, 100)),
            str(sum(r.voice_to_voice_ms is None for r in group)),
            *(f"{np.percentile(after or [np.nan], q):.0f} ms" for q in (50, 95)),
        )
    console.print(table)
    own = [r.own_ms for r in results if r.own_ms is not None and not r.early] or [np.nan]
    minutes = sum(r.streamed_s for r in results) / 60
    console.print(
        f"After the wait, all but the engines: {np.median(own):.0f} ms "
        f"(95 %: {np.percentile(own, 95):.0f} ms). "
        f"{sum(r.cpu_s for r in results) / minutes:.1f} CPU seconds per minute of speech played; "
        f"{min(r.memory_mb for r in results):.0f} MB. "
        f"A chunk was at most {max(r.late_ms for r in results):.0f} ms late."
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=Path, help="what `recordings.py --json` wrote")
    parser.add_argument("--data", type=Path, default=DATA / "speech_read")
    parser.add_argument("--every", type=int, default=1, help="play each n-th recording only")
    parser.add_argument(
        "--end-of-turn",
        nargs="+",
        default=["smart-turn", "0.5", "0.8"],
        help="smart-turn, or seconds of silence (at least 0.2; the framework's own choice is 0.8)",
    )
    parser.add_argument("--json", type=Path, help="write each measurement to this file")
    arguments = parser.parse_args()

    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    console = Console(width=120)
    recordings = json.loads(arguments.recordings.read_text())[:: arguments.every]
    voice = Voice()
    await turn(recordings[0], arguments.data, "smart-turn", voice)  # what compiles at first use
    measured = {}
    for name in arguments.end_of_turn:
        silence = "Smart Turn v3.2" if name == "smart-turn" else f"{name} s of silence"
        title = f"pipecat 1.14.0, end of turn by {silence}"
        measured[name] = [
            await turn(recording, arguments.data, name, voice)
            for recording in track(recordings, title, console=Console(stderr=True))
        ]
        report(console, measured[name], title)
    if arguments.json:
        rows = {name: [asdict(row) for row in rows] for name, rows in measured.items()}
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
