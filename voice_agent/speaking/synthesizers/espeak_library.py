"""espeak-ng through ctypes: one call speaks a text into a callback, another spells its sounds.

The library (GPL-3) is loaded from the ``espeakng-loader`` package at run time. It keeps its voice
and parameters in globals, so that a lock lets one thread in at a time.
"""

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice_agent.errors import EngineUnavailable

# Names and values of espeak-ng's speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 1 << 15
_CHARS_UTF8 = 1
_PHONEMES_IPA = 2
_EVENT_WORD = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4

_BUFFER_MS = 50
_HALF_VOLUME = 50
"""espeak's normal volume leaves no headroom below full scale; half of it leaves 6 dB more."""


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


class _VoiceProperties(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of espeak and how it speaks, in espeak's units.

    Attributes:
        name: Language and variant, as ``en-us+f2``.
        rate: Words a minute, 80 to 450.
        pitch: 0 to 100, 50 is the voice's own.
        range: 0 to 100, 50 is the voice's own.
    """

    name: str
    rate: int = 175
    pitch: int = 50
    range: int = 50


Sink = Callable[[NDArray[np.int16], list[tuple[int, int]]], bool]
"""Takes 16-bit samples and the words that begin: (character in the text, sample since the
beginning). Returns False to stop."""


class Library:
    """The loaded library. Use ``load``, which gives every caller the same one."""

    def __init__(self) -> None:
        try:
            import espeakng_loader

            self._espeak = ctypes.CDLL(espeakng_loader.get_library_path())
            data = Path(espeakng_loader.get_data_path())
        except (ImportError, OSError, RuntimeError) as error:
            raise EngineUnavailable(
                f"espeak-ng cannot be loaded ({error}); bring it with: pip install espeakng-loader"
            ) from error
        self._lock = threading.Lock()
        self._variants = data / "voices" / "!v"
        self.rate: int = self._espeak.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, _BUFFER_MS, str(data).encode(), _DONT_EXIT
        )
        if self.rate <= 0:
            raise EngineUnavailable(
                f"espeak-ng found no voices in {data}; install it anew with: "
                "pip install --force-reinstall espeakng-loader"
            )
        self._sink: Sink = _silence
        self._error: BaseException | None = None
        self._callback = _Callback(self._receive)  # espeak holds the pointer: keep it alive
        self._espeak.espeak_SetSynthCallback(self._callback)
        self._espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._espeak.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceProperties))
        self._espeak.espeak_SetParameter(_VOLUME, _HALF_VOLUME, 0)

    def has(self, voice: str) -> bool:
        """Whether there is a voice of that name, with its variant."""
        _, plus, variant = voice.partition("+")
        if plus and not (variant and (self._variants / variant).is_file()):
            return False
        with self._lock:
            return bool(self._espeak.espeak_SetVoiceByName(voice.encode()) == 0)

    def speak(self, text: str, voice: Voice, sink: Sink) -> None:
        """Speaks a text into ``sink``, and returns when all is said or ``sink`` wants no more.

        Args:
            text: Plain text without control characters.
            voice: Who speaks, and how.
            sink: Called in this thread with each buffer.
        """
        data = text.encode("utf-8", errors="replace") + b"\0"
        with self._lock:
            self._sink, self._error = sink, None
            self._espeak.espeak_SetVoiceByName(voice.name.encode())
            for parameter, value in (
                (_RATE, voice.rate),
                (_PITCH, voice.pitch),
                (_RANGE, voice.range),
                (_VOLUME, _HALF_VOLUME),
            ):
                self._espeak.espeak_SetParameter(parameter, value, 0)
            self._espeak.espeak_Synth(
                data, ctypes.c_size_t(len(data)), 0, 0, 0, _CHARS_UTF8, None, None
            )
            self._sink = _silence
            if self._error is not None:
                raise self._error

    def speaks(self, language: str) -> bool:
        """Whether espeak has a voice for a language, as ``en-gb``."""
        with self._lock:
            return self._set_language(language)

    def phonemes(self, text: str, language: str) -> list[str]:
        """Spells how a text sounds.

        Args:
            text: Plain text without control characters.
            language: As ``en-us``; one that espeak ``speaks``.

        Returns:
            The phonemes of each clause in the International Phonetic Alphabet, words apart. A
            change of language is marked as ``(fr)``.
        """
        with self._lock:
            self._set_language(language)
            # A speech that was stopped leaves a letter behind, with which the next text to be
            # spelt would begin.
            self._spell(".")
            return self._spell(text)

    def _spell(self, text: str) -> list[str]:
        clauses = []
        rest = ctypes.c_char_p(text.encode("utf-8", errors="replace"))
        while rest.value is not None:  # espeak moves the pointer on, and at the end to nowhere
            told = self._espeak.espeak_TextToPhonemes(
                ctypes.byref(rest), _CHARS_UTF8, _PHONEMES_IPA
            )
            clauses.append((told or b"").decode("utf-8"))
        return clauses

    def _set_language(self, language: str) -> bool:
        """Some languages are no names of voices, as ``en-gb`` and ``fr-fr``."""
        if self._espeak.espeak_SetVoiceByName(language.encode()) == 0:
            return True
        wanted = _VoiceProperties(languages=language.encode())
        # A voice of a language that is asked for comes first; others follow to choose from.
        listed = self._espeak.espeak_ListVoices(ctypes.byref(wanted))
        if not listed or not listed[0]:
            return False
        identifier = listed[0].contents.identifier
        return bool(self._espeak.espeak_SetVoiceByName(identifier) == 0)

    def _receive(self, wave: Any, count: int, events: Any) -> int:
        """Hands a buffer on: 0 goes on, 1 stops. Nothing may be raised through C."""
        try:
            samples = (
                # Not as an array type of ctypes: it would keep one for every length, for ever.
                np.frombuffer(ctypes.string_at(wave, 2 * count), dtype=np.int16)
                if wave and count > 0
                else np.zeros(0, dtype=np.int16)
            )
            return 0 if self._sink(samples, _words(events)) else 1
        except BaseException as error:
            self._error = error
            return 1


@cache
def load() -> Library:
    """The library, loaded once in a process.

    Raises:
        EngineUnavailable: The package is missing or broken.
    """
    return Library()


def _words(events: Any) -> list[tuple[int, int]]:
    found = []
    index = 0
    while (event := events[index]).type:
        if event.type == _EVENT_WORD:
            found.append((event.text_position - 1, event.sample))
        index += 1
    return found


def _silence(samples: NDArray[np.int16], words: list[tuple[int, int]]) -> bool:
    return False
