"""The engines of ``peer_pipecat.py`` as parts of a pipecat pipeline, in the least code it asks for.

The same libraries as in our own embedded profile: pocketsphinx and espeak-ng; in place of a
language model one fixed sentence.
"""

import asyncio
import ctypes
import time
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import espeakng_loader
from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    StartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.utils.time import time_now_iso8601
from pocketsphinx import Decoder

REPLY = "Tell me more about that."


@dataclass
class Marks:
    """When things last happened in a conversation (``time.monotonic()``).

    ``decided``: the wait for the end of the turn was over. ``text``: the recognizer's final text.
    ``voice_s``: what espeak took for the sentence. ``arrived``: the reply's first audio came out.
    ``audible``: its first audible sample.
    """

    decided: float = 0.0
    text: float = 0.0
    voice_s: float = 0.0
    arrived: float | None = None
    audible: float = 0.0


class Pocketsphinx(STTService):
    """Decodes while the person speaks, in a thread; the pause that the VAD finds ends a text."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(settings=STTSettings(model="en-us", language=None), ttfs_p99_latency=0.5)
        self.marks = marks
        # With the settings of our own recognizer: no second pass over the segment after the
        # pause, and bounds on the work of a frame.
        self.decoder = Decoder(loglevel="FATAL", fwdflat=False, maxhmmpf=3000, maxwpf=10)
        self.speaking = False
        # A second from before the VAD was sure, as the framework's segmenting services keep.
        self.before: deque[bytes] = deque(maxlen=50)
        self.heard: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.thread = ThreadPoolExecutor(max_workers=1)

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        self.decoding = self.create_task(self.decode())

    async def cleanup(self) -> None:
        await super().cleanup()
        await self.cancel_task(self.decoding)
        self.thread.shutdown()

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        if self.speaking:
            self.heard.put_nowait(audio)
        else:
            self.before.append(audio)
        yield None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self.speaking = True
            for audio in self.before:
                self.heard.put_nowait(audio)
            self.before.clear()
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            self.speaking = False
            self.heard.put_nowait(None)

    async def decode(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await loop.run_in_executor(self.thread, self.decoder.start_utt)
            while (audio := await self.heard.get()) is not None:
                await loop.run_in_executor(self.thread, self.decoder.process_raw, audio)
            await loop.run_in_executor(self.thread, self.decoder.end_utt)
            hypothesis = self.decoder.hyp()
            if hypothesis and hypothesis.hypstr:
                self.marks.text = time.monotonic()
                text = TranscriptionFrame(hypothesis.hypstr, "", time_now_iso8601())
                text.finalized = True
                await self.push_frame(text)


class FixedReply(FrameProcessor):
    """Stands where the language model would."""

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self.marks = marks

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            self.marks.arrived = None
            await self.push_frame(LLMFullResponseStartFrame())
            await self.push_frame(LLMTextFrame(REPLY))
            await self.push_frame(LLMFullResponseEndFrame())
        else:
            await self.push_frame(frame, direction)


class Voice:
    """espeak-ng through ctypes; one in a process."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        # Synchronous, 50 ms buffers, and no exit of the process where the data is missing.
        self.rate = self.library.espeak_Initialize(2, 50, data, 1 << 15)
        self.library.espeak_SetVoiceByName(b"en-us")
        callback = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self.callback = callback(self.receive)  # espeak keeps the pointer only
        self.library.espeak_SetSynthCallback(self.callback)
        self.audio = b""

    def receive(self, wave, count: int, events) -> int:
        if wave and count > 0:
            self.audio += ctypes.string_at(wave, 2 * count)
        return 0

    def say(self, text: str) -> bytes:
        self.audio = b""
        data = text.encode()
        self.library.espeak_Synth(data, ctypes.c_size_t(len(data) + 1), 0, 0, 0, 1, None, None)
        return self.audio


class Espeak(TTSService):
    """The voice as a service."""

    def __init__(self, marks: Marks, voice: Voice) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            settings=TTSSettings(model=None, voice="en-us", language=None),
        )
        self.marks = marks
        self.voice = voice

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        begun = time.monotonic()
        audio = await asyncio.to_thread(self.voice.say, text)
        self.marks.voice_s = time.monotonic() - begun
        yield TTSAudioRawFrame(audio, self.voice.rate, 1, context_id=context_id)
