"""Loads models of coqui-tts by its own classes, without what it would fetch or call."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from voice_agent.audio.resample import resample
from voice_agent.errors import EngineUnavailable, VoiceAgentError
from voice_agent.events import REPLY_EMOTIONS
from voice_agent.models import devices, torchaudio_import
from voice_agent.models.devices import DeviceName
from voice_agent.speaking.synthesizers.coqui import files
from voice_agent.speaking.synthesizers.coqui.voice import Voice
from voice_agent.speaking.voices import VoiceBank

if TYPE_CHECKING:
    from voice_agent.speaking.synthesizers.coqui.engine import CoquiOptions
    from voice_agent.speaking.synthesizers.coqui.xtts import Style

log = logging.getLogger(__name__)

_CLIP_RATE = 22_050
_NAMES_SHOWN = 12


def load(options: "CoquiOptions") -> tuple[Voice, DeviceName]:
    """Loads a model from disk; returns its voice, and where it computes.

    Raises:
        EngineUnavailable: A package, the model, the voice or a device is missing; says how to get
            it.
    """
    _ensure()
    from voice_agent.speaking.synthesizers.coqui.needs import MOST_ROWS, Needs

    found = files.find(options.model)
    what = f"the voice {options.model}"
    with _damage_told(found):
        needs = Needs.by_device(found, options.device)
    with devices.reserve(
        options.device,
        files.DEVICE_SETTING,
        {device: need.bytes for device, need in needs.items()},
        what,
    ) as device:
        if 0 < (rows := needs[device].rows) < MOST_ROWS:
            log.warning(
                "there is memory for %d sentences of the voice at once, not for %d; further ones "
                "wait, or are read anew",
                rows,
                MOST_ROWS,
            )
        with _damage_told(found):
            model = (_load_xtts if found.kind == "xtts" else _load_vits)(found)
        return voice_of(model.to(device), options, rows), device


def voice_of(model: Any, options: "CoquiOptions", rows: int | None = None) -> Voice:
    """The voice of a model that is loaded, on the device on which it lies.

    Args:
        model: A ``Vits`` or ``Xtts`` of coqui-tts in evaluation mode.
        options: The settings.
        rows: Sentences that XTTS writes at once; None for as many as there is memory for.

    Raises:
        EngineUnavailable: The model has no such voice, or does not speak the language.
    """
    _ensure()
    from TTS.tts.models.xtts import Xtts

    from voice_agent.speaking.synthesizers.coqui.decoding import fuse
    from voice_agent.speaking.synthesizers.coqui.needs import fitting_rows

    fuse(model)
    if isinstance(model, Xtts):
        rows = rows or fitting_rows(model.args, "cuda" if model.device.type == "cuda" else "cpu")
        return _xtts_voice(model, options, rows)
    return _vits_voice(model, options)


@contextmanager
def _damage_told(found: files.Files) -> Iterator[None]:
    """Names the model where coqui-tts names neither it nor its file."""
    try:
        yield
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise EngineUnavailable(
            f"the model in {found.folder} cannot be loaded, it may be damaged: {error}"
        ) from error


@cache
def _tell_licence() -> None:
    log.info("XTTS v2 is licensed for non-commercial use only (Coqui Public Model License)")


def _ensure() -> None:
    """Imports coqui-tts.

    Raises:
        EngineUnavailable: It is not installed, or something that it needs.
    """
    # What it warns of contains the text that it is to say.
    logging.getLogger("TTS").setLevel(logging.ERROR)
    try:
        import torch  # noqa: F401

        torchaudio_import.ensure()
        import TTS.tts.models.vits
        import TTS.tts.models.xtts  # noqa: F401
    except ImportError as error:
        raise files.missing(error.name) from error


def _load_xtts(found: files.Files) -> Any:
    import torch
    from TTS.config import load_config
    from TTS.tts.models import xtts

    class UntouchedXtts(xtts.Xtts):  # type: ignore[misc]
        """Leaves the file of weights as it is.

        coqui-tts writes that of XTTS v2 anew when it first loads it, since its author's
        configuration lies in it as an object. Its checksum would not be right any more.
        """

        def _load_checkpoint(self, model_path: Path) -> Any:
            with xtts._legacy_safe_globals():
                return torch.load(model_path, map_location="cpu", weights_only=True)["model"]

    config = load_config(found.folder / "config.json")
    model = UntouchedXtts(config)
    model.load_checkpoint(config, checkpoint_dir=found.folder, eval=True)
    return model


def _load_vits(found: files.Files) -> Any:
    from TTS.config import load_config
    from TTS.tts.models.vits import Vits

    from voice_agent.speaking.synthesizers.coqui.phonemes import EspeakPhonemes

    config = load_config(found.folder / "config.json")
    if found.speakers is not None:
        # The configuration names the place where its author had it.
        config.speakers_file = config.model_args.speakers_file = str(found.speakers)
    if config.use_phonemes and not config.phonemizer:
        config.phonemizer = EspeakPhonemes.name()
    EspeakPhonemes.install()
    config.model_args.init_discriminator = False  # only training needs it
    model = Vits(config)
    missing: list[str] = []
    hook = model.register_load_state_dict_post_hook(
        lambda _, keys: missing.extend(keys.missing_keys)
    )
    # Not strict: a file may hold more than is needed, such as what only training needs.
    model.load_checkpoint(config, found.weights, eval=True, strict=False)
    hook.remove()
    if missing:
        raise KeyError(f"{found.weights.name} lacks {missing[0]} and {len(missing) - 1} others")
    return model


def _vits_voice(model: Any, options: "CoquiOptions") -> Voice:
    from voice_agent.speaking.synthesizers.coqui.vits import VitsVoice

    if model.args.use_d_vector_file:
        raise EngineUnavailable(
            f"the model {options.model} speaks by vectors of recordings, which the coqui engine "
            "does not make; use xtts-v2 to speak like a recording"
        )
    speakers = _speakers(model) if model.args.use_speaker_embedding else []
    for name in (options.voice, *options.emotions.values()):
        if name is not None and name not in speakers:
            raise _no_voice(name, options.model, speakers)
    if model.args.use_language_embedding and options.language not in (
        known := list(model.language_manager.name_to_id)
    ):
        raise EngineUnavailable(
            f"the model {options.model} does not speak {options.language!r}; it speaks "
            f"{', '.join(known)}"
        )
    speaker = options.voice or (speakers[0] if speakers else None)
    return VitsVoice(model, options.language, speaker, options.emotions)


def _xtts_voice(model: Any, options: "CoquiOptions", rows: int) -> Voice:
    from voice_agent.speaking.synthesizers.coqui.xtts import XttsVoice

    _tell_licence()
    known = [str(language).split("-")[0] for language in model.config.languages]
    if options.language.split("-")[0] not in known:
        raise EngineUnavailable(
            f"the model {options.model} does not speak {options.language!r}; it speaks "
            f"{', '.join(known)}"
        )
    bank = VoiceBank.open()
    speakers = _speakers(model)
    name = options.voice or next(iter(speakers or bank.names), None)
    if name is None:
        raise EngineUnavailable(
            f"the model {options.model} has no speakers of its own here; make a voice of a "
            "recording with: voice-agent voices add NAME FILE"
        )
    for wanted in (name, *options.emotions.values()):
        if wanted not in speakers and wanted not in bank.names:
            raise _no_voice(wanted, options.model, [*bank.names, *speakers])
    styles = _styles(model, bank, name)
    for emotion, other in options.emotions.items():
        styles[emotion] = _styles(model, bank, other)["neutral"]
    return XttsVoice(model, options.language, styles, rows)


def _styles(model: Any, bank: VoiceBank, name: str) -> dict[str, "Style"]:
    """The styles of a voice by reply emotion, ``neutral`` among them."""
    if name in bank.names:
        return _recorded(model, bank, name)
    return {"neutral": _own(model, name)}


def _speakers(model: Any) -> list[str]:
    manager = model.speaker_manager
    return [str(name) for name in manager.name_to_id] if manager is not None else []


def _no_voice(name: str, model: str, known: Sequence[str]) -> EngineUnavailable:
    shown = ", ".join(known[:_NAMES_SHOWN]) + (", …" if len(known) > _NAMES_SHOWN else "")
    return EngineUnavailable(
        f"there is no voice {name!r} of the model {model}; there are: {shown or 'none'}"
    )


def _own(model: Any, name: str) -> "Style":
    """The style of a speaker that comes with the model."""
    from voice_agent.speaking.synthesizers.coqui.xtts import Style

    latents, speaker = model.speaker_manager.speakers[name].values()
    return Style(latents.to(model.device), speaker.to(model.device))


def _recorded(model: Any, bank: VoiceBank, name: str) -> dict[str, "Style"]:
    """The styles of a recorded voice, for each emotion for which it has recordings."""
    try:
        voice = bank.voice(name)
    except VoiceAgentError as error:
        raise EngineUnavailable(str(error)) from error
    used = {emotion: voice.style(emotion) for emotion in REPLY_EMOTIONS}
    made = {style: style_of(model, voice.clips(style)) for style in set(used.values())}
    neutral = used["neutral"]
    own = {emotion: made[style] for emotion, style in used.items() if style != neutral}
    return {"neutral": made[neutral], **own}


def style_of(model: Any, clips: Sequence[Path]) -> "Style":
    """What XTTS makes of recordings, as ``Xtts.get_conditioning_latents`` does.

    That reads files with torchaudio, which needs ffmpeg for it.

    Args:
        model: The model.
        clips: Recordings of one voice in one mood.
    """
    import torch

    from voice_agent.speaking.synthesizers.coqui.xtts import Style

    config = model.config
    audios = []
    for clip in clips:
        samples, rate = soundfile.read(clip, dtype="float32", always_2d=True)
        mono = resample(np.ascontiguousarray(samples.mean(axis=1)), rate, _CLIP_RATE)
        audios.append(torch.from_numpy(mono)[None, : _CLIP_RATE * config.max_ref_len])
    speakers = [model.get_speaker_embedding(audio, _CLIP_RATE) for audio in audios]
    latents = model.get_gpt_cond_latents(
        torch.cat(audios, dim=-1),
        _CLIP_RATE,
        length=config.gpt_cond_len,
        chunk_length=config.gpt_cond_chunk_len,
    )
    return Style(latents, torch.stack(speakers).mean(dim=0))
