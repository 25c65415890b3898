"""What the labels of a model stand for: the model's names on one side, ours on the other."""

from collections.abc import Iterable, Mapping, Sequence

from voice_agent.errors import ConfigError
from voice_agent.events import EMOTIONS, VOCAL_EVENTS
from voice_agent.hearing.paralinguistics.transformers.options import Kind, ModelChoice

CALM = "calm"
"""Read as neutral, and kept apart as the part of it that is at ease."""

NAMES: Mapping[Kind, tuple[str, ...]] = {
    "emotion": (*EMOTIONS, CALM),
    "gender": ("female", "male"),
    "age": ("child", "adult", "old"),
    "events": VOCAL_EVENTS,
    "dimensions": ("arousal", "valence", "dominance"),
}
"""Our names of what can be read."""

_WELL_KNOWN: Mapping[Kind, Mapping[str, str]] = {
    "emotion": {
        "sad": "sadness",
        "anger": "angry ang",
        "neutral": "neu",
        "happy": "happiness hap joy joyful",
        "surprise": "surprised sur ps pleasant_surprise",
        "fear": "fearful fea afraid scared",
        "disgust": "disgusted dis",
        "other": "oth unknown boredom bored",
    },
    "gender": {"female": "f woman women", "male": "m man men"},
    "age": {
        "child": "children kid kids",
        "adult": "adults teens twenties thirties forties fourties fifties",
        "old": "senior seniors elderly sixties seventies eighties nineties",
    },
    "events": {
        "laugh": "laughter laughing baby_laughter giggle snicker belly_laugh chuckle,_chortle "
        "chuckle_and_chortle",
        "cough": "coughing",
        "cry": "crying crying,_sobbing crying_and_sobbing crying_baby baby_cry,_infant_cry "
        "whimper wail,_moan",
        "scream": "screaming",
        "sigh": "sighing breath breathing gasp",
        "sneeze": "sneezing",
        "snore": "snoring",
        "other": "sniff hiccup burping,_eructation",
    },
    "dimensions": {"arousal": "activation act aro", "valence": "val", "dominance": "dom"},
}

Meanings = tuple[frozenset[str], ...]
"""Our names for each output of a model, in the order of its outputs; none for some."""


def meanings(choice: ModelChoice, labels: Sequence[str]) -> dict[Kind, Meanings]:
    """Finds what each label of a model stands for, in each kind that is read from it.

    The configuration's word goes before what the name of a label suggests.

    Args:
        choice: The model in the configuration.
        labels: Its labels, in the order of its outputs.

    Raises:
        ConfigError: The configuration names labels or meanings that do not exist, or a label stands
            for nothing; says what there is.
    """
    accepted = [name for kind in choice.reads for name in NAMES[kind]]
    unknown = sorted(set(choice.labels) - set(labels))
    wrong = sorted({name for names in choice.labels.values() for name in names} - {*accepted})
    if unknown:
        _refuse(choice, labels, accepted, f"it has no label {_listed(unknown)}")
    if wrong:
        _refuse(choice, labels, accepted, f"labels cannot stand for {_listed(wrong)}")
    found = {
        kind: tuple(_meaning(choice, kind, label) for label in labels) for kind in choice.reads
    }
    for kind, of_kind in found.items():
        if not any(of_kind):
            _refuse(choice, labels, accepted, f"none of its labels stands for any {kind}")
    dumb = [
        label
        for label, *of_label in zip(labels, *found.values(), strict=True)
        if label not in choice.labels and not any(of_label)
    ]
    # Hundreds of sounds are none of a voice; elsewhere a label without meaning is a mistake.
    if dumb and "events" not in choice.reads:
        _refuse(choice, labels, accepted, f"it is not clear what {_listed(dumb)} stands for")
    return found


def _meaning(choice: ModelChoice, kind: Kind, label: str) -> frozenset[str]:
    if label in choice.labels:
        return frozenset(choice.labels[label]) & frozenset(NAMES[kind])
    plain = _plain(label)
    if plain in NAMES[kind]:
        return frozenset({plain})
    return frozenset(
        name for name, others in _WELL_KNOWN[kind].items() if plain in map(_plain, others.split())
    )


def _plain(label: str) -> str:
    return label.strip().lower().replace("_", " ").replace("-", " ")


def _refuse(choice: ModelChoice, labels: Iterable[str], accepted: list[str], what: str) -> None:
    raise ConfigError(
        f"hearing.paralinguistics.models: {choice.model}: {what}; its labels are "
        f"{_listed(labels)}; under labels, each can stand for {_listed(accepted)}, or for null"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
