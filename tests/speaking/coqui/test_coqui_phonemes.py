"""The program's output was written down from espeak-ng 1.51; the library is 1.52."""

import shutil

import pytest
import tiny_voices
from speaking_steps import sentence
from TTS.tts.models.vits import VitsCharacters
from TTS.tts.utils.text.phonemizers import espeak_wrapper

from voice_agent.speaking.synthesizers import espeak_library
from voice_agent.speaking.synthesizers.coqui.phonemes import EspeakPhonemes
from voice_agent.speaking.synthesizers.espeak_library import Voice

TEXTS = {
    "hello, how are you today?": "həlˈoʊ, hˌaʊ ɑːɹ juː tədˈeɪ?",
    "I hear you, and that sounds really hard.": "aɪ hˈɪɹ juː, ænd ðæt sˈaʊndz ɹˈiəli hˈɑːɹd.",
    "the idea of the old man": "ðɪ aɪdˈiə ʌvðɪ ˈoʊld mˈæn",
}


@pytest.mark.parametrize("text", TEXTS)
def test_phonemes_are_those_that_voices_have_learnt(text: str) -> None:
    assert EspeakPhonemes("en-us").phonemize(text, separator="") == TEXTS[text]


def test_a_speech_that_was_stopped_leaves_nothing_in_the_next_text() -> None:
    library = espeak_library.load()
    library.speak("One sentence is here. And another one.", Voice("en-us"), lambda *_: False)
    for text, phonemes in TEXTS.items():
        assert EspeakPhonemes("en-us").phonemize(text, separator="") == phonemes


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the program espeak-ng")
def test_phonemes_are_those_of_the_program(text: str) -> None:
    program = espeak_wrapper.ESpeak("en-us", backend="espeak-ng").phonemize(text, separator="")
    assert EspeakPhonemes("en-us").phonemize(text, separator="") == program


def test_marks_of_foreign_words_are_left_out() -> None:
    assert "(" not in EspeakPhonemes("fr-fr").phonemize("le football", separator="")


@pytest.mark.parametrize("language", ["en", "en-gb", "fr-fr", "de", "pt-br", "zh-cn"])
def test_languages_go_by_the_names_that_coqui_gives_them(language: str) -> None:
    assert EspeakPhonemes(language).phonemize("ta", separator="")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(RuntimeError, match="not supported"):
        EspeakPhonemes("xx-nonsense")


async def test_a_voice_that_reads_phonemes_needs_no_program(
    create, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(espeak_wrapper, "_DEF_ESPEAK_LIB", None)  # as where there is none
    EspeakPhonemes.install()
    model = tiny_voices.new_vits(
        use_phonemes=True,
        phonemizer="espeak",
        phoneme_language="en-us",
        characters=VitsCharacters().to_config(),
        text_cleaner="english_cleaners",
    )
    voice = await create(tiny_voices.save_vits(model, tmp_path / "vits"))
    spelt, places = voice._voice._spell(sentence("the idea of the man"))
    tokenizer = voice._voice._model.tokenizer
    letters = [token for token in spelt if token != tokenizer.blank_id]
    assert tokenizer.decode(letters) == "ðɪ aɪdˈiə ʌvðə mˈæn"
    begins = ["".join(tokenizer.decode(spelt[place : place + 3 : 2])) for place in places]
    # "of the" is said as one word; each still has its own place in it.
    assert begins == ["ðɪ", "aɪ", "ʌv", "ðə", "mˈ"]
