"""Phonemes for coqui-tts from the espeak-ng library, where it would call a program of that name.

What is asked of espeak-ng, and what is made of its answer, is what coqui-tts does with the output
of the program, since that is what its voices have learnt from.
"""

import re

from TTS.tts.utils.text import phonemizers
from TTS.tts.utils.text.phonemizers.base import BasePhonemizer
from TTS.tts.utils.text.punctuation import Punctuation

from voice_agent.speaking.synthesizers import espeak_library

_LANGUAGE_MARK = re.compile(r"\(.+?\)")
_ESPEAK_LANGUAGES = {"en": "en-us", "zh-cn": "cmn"}
"""Languages that coqui-tts calls by other names."""


class EspeakPhonemes(BasePhonemizer):  # type: ignore[misc]
    """A phonemizer of coqui-tts that needs no program.

    Args:
        language: As ``en-us``.

    Raises:
        EngineUnavailable: The library is missing.
        RuntimeError: espeak-ng does not know the language.
    """

    def __init__(self, language: str) -> None:
        self._library = espeak_library.load()
        language = _ESPEAK_LANGUAGES.get(language, language)
        super().__init__(language, punctuations=Punctuation.default_puncs(), keep_puncs=True)

    @classmethod
    def install(cls) -> None:
        """Has coqui-tts use it wherever a model asks for espeak."""
        phonemizers._register_phonemizers()  # or coqui-tts does so later, and puts its own back
        phonemizers.PHONEMIZERS[cls.name()] = cls

    @staticmethod
    def name() -> str:
        """The name under which configurations ask for it."""
        return "espeak"

    @classmethod
    def is_available(cls) -> bool:
        """Whether it can be used; the constructor tells why not."""
        return True

    def version(self) -> str:
        """Version of espeak-ng that voices were compared with."""
        return "1.52"

    @staticmethod
    def supported_languages() -> dict[str, str]:
        """Not listed: espeak-ng is asked for one language at a time."""
        return {}

    def is_supported_language(self, language: str) -> bool:
        """Whether espeak-ng has the language."""
        return self._library.speaks(language)

    def _phonemize(self, text: str, separator: str) -> str:
        clauses = self._library.phonemes(text, self.language)
        return "".join(_LANGUAGE_MARK.sub("", clause).strip() for clause in clauses)
