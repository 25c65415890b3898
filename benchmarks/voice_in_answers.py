"""Whether the voice changes the answer: the same words from the same person in two emotions.

    python benchmarks/voice_in_answers.py MANIFEST [--all] [--seeds 3]

The manifest is RAVDESS's (``path, speaker, emotion, intensity, transcript, split``), in which each
actor says two sentences in eight emotions; calm counts as neutral. Two recordings make a pair if
actor, sentence and take are the same and the emotions are not. Of the emotions that were acted in
two intensities the strong one is taken.

Each recording is heard by the embedded analyzer, weighed as in a live conversation, and answered
by the embedded model. It is the person's first turn ("first words"), or it follows a turn in which
the same actor said the other sentence in a neutral voice, from which their usual voice is known
("voice known"). The recordings for that earlier turn are in no pair. "as labelled" answers a
perfect reading, sure of the label: what the reasoner would do if hearing made no mistakes.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from voice_agent.audio.files import read_whole
from voice_agent.evaluation import manifest
from voice_agent.evaluation.turns import measure
from voice_agent.events import EMOTIONS, Exchange, Paralinguistics, Prompt, Thought, UserTurn
from voice_agent.hearing.manner import Speaker
from voice_agent.hearing.paralinguistics.embedded import EmbeddedAnalyzer
from voice_agent.hearing.tracking import Tracking
from voice_agent.hearing.vad import VadModel
from voice_agent.thinking.models.embedded import EmbeddedModel, EmbeddedOptions
from voice_agent.thinking.plain_words import plain, sentences
from voice_agent.thinking.stream_parser import StreamParser

MEASURES = ("thought", "reply emotion", "words", "all three", "no sentence")
_SENTENCES = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
_FITTING = {
    "sad": {"sad", "comfort", "sorry", "tearful"},
    "fear": {"comfort", "sorry"},
    "anger": {"sorry", "comfort"},
    "happy": {"happy", "joyful"},
    "surprise": {"surprised"},
    "disgust": {"disgusted", "sorry", "comfort"},
    "neutral": {"neutral"},
}
_SURE = 0.85
_NEXT_TURN_S = 5.0


@dataclass(frozen=True)
class Recording:
    """A clip by the parts of its RAVDESS file name."""

    path: Path
    actor: str
    sentence: str
    take: str
    emotion: str
    strong: bool
    split: str

    @property
    def usual(self) -> bool:
        """Whether it is kept for getting to know the actor's voice."""
        return self.emotion == "neutral" and self.take == "01" and "-01-01-" in self.path.name

    @property
    def text(self) -> str:
        return _SENTENCES[self.sentence]


@dataclass(frozen=True)
class Answered:
    """What a recording led to."""

    thought: Thought
    reply: str


def recordings(path: Path, splits: Sequence[str]) -> list[Recording]:
    found = []
    chosen = manifest.read(path, {"corpus": ["RAVDESS"], "split": splits})
    for clip in chosen.clips:
        _, _, _, intensity, sentence, take, actor = clip.path.stem.split("-")
        emotion = "neutral" if clip.emotion == "calm" else str(clip.emotion)
        neutral = clip.emotion == "neutral"
        if intensity == "02" or neutral:
            one = Recording(
                clip.path, actor, sentence, take, emotion, intensity == "02", clip.split or ""
            )
            found.append(one)
    return found


async def hear(found: Sequence[Recording]) -> dict[Path, tuple[Paralinguistics, Paralinguistics]]:
    """Each recording as first words, and after a neutral turn."""
    analyzer, vad = await EmbeddedAnalyzer.create(EmbeddedAnalyzer.Options()), VadModel()
    usual = {(one.actor, one.sentence): one for one in found if one.usual}
    heard = {}
    for one in found:
        samples = read_whole(one.path)
        prosody = measure(samples, vad)
        stream = await analyzer.open()
        alone = await stream.analyze(samples, Speaker().manner(prosody))
        first = Tracking().weigh(alone, 0.0)
        other = usual[one.actor, "02" if one.sentence == "01" else "01"]
        known, tracking = Speaker(), Tracking()
        earlier = read_whole(other.path)
        neutral = measure(earlier, vad)
        before = await stream.analyze(earlier, Speaker().manner(neutral))
        ended = len(earlier) / 16_000
        tracking.remember(tracking.weigh(before, 0.0), ended)
        known.learn(neutral)
        await stream.learn(earlier)
        later = await stream.analyze(samples, known.manner(prosody))
        heard[one.path] = first, tracking.weigh(later, ended + _NEXT_TURN_S)
        await stream.close()
    await analyzer.close()
    return heard


def as_labelled(emotion: str, how: Paralinguistics) -> Paralinguistics:
    """The manner as measured, the emotion as acted."""
    rest = (1 - _SURE) / (len(EMOTIONS) - 1)
    posterior = {label: _SURE if label == emotion else rest for label in EMOTIONS}
    return Paralinguistics(manner=how.manner, emotion=posterior, uncertain=False)


async def answer(model: EmbeddedModel, prompt: Prompt) -> Answered:
    parser = StreamParser()
    items = [item async for piece in model.generate(prompt) for item in parser.feed(str(piece))]
    thought, *reply = items + parser.finish()
    assert isinstance(thought, Thought)
    return Answered(thought, "".join(str(piece) for piece in reply))


def compare(a: Answered, b: Answered) -> dict[str, bool]:
    def gist(thought: Thought) -> tuple[str, ...]:
        """The thought without what the answer takes over from it."""
        return (thought.linguistic, thought.paralinguistic, thought.conflict, thought.need)

    thought = gist(a.thought) != gist(b.thought)
    tone = a.thought.reply_emotion != b.thought.reply_emotion
    words = plain(a.reply) != plain(b.reply)
    said = {plain(one) for one in sentences(a.reply)}
    apart = not said.intersection(plain(one) for one in sentences(b.reply))
    return dict(
        zip(MEASURES, (thought, tone, words, thought and tone and words, apart), strict=True)
    )


async def measure_pairs(
    found: Sequence[Recording],
    readings: Mapping[Path, Paralinguistics],
    before: Mapping[tuple[str, str], UserTurn],
    seeds: int,
) -> tuple[dict[tuple[str, str], Counter[str]], float]:
    """Counts over all pairs, by the two emotions, and the share of fitting reply emotions.

    ``pairs`` is how many there are of two emotions.
    """
    model = await EmbeddedModel.create(EmbeddedOptions())
    counts: dict[tuple[str, str], Counter[str]] = {}
    fitting: list[bool] = []
    groups: dict[tuple[str, str, str], list[Recording]] = {}
    for one in found:
        if not one.usual:
            groups.setdefault((one.actor, one.sentence, one.take), []).append(one)
    for (actor, sentence, _), group in sorted(groups.items()):
        for seed in range(seeds):
            history: tuple[Exchange, ...] = ()
            if earlier := before.get((actor, sentence)):
                opened = await answer(model, Prompt(earlier, seed=seed))
                history = (Exchange(earlier, opened.reply, opened.thought),)
            answers = {}
            for one in group:
                turn = UserTurn(one.text, readings[one.path])
                answers[one.path] = await answer(model, Prompt(turn, history, seed=seed))
                tone = answers[one.path].thought.reply_emotion
                fitting.append(tone in _FITTING[one.emotion])
            for a, b in combinations(group, 2):
                if a.emotion != b.emotion:
                    first, second = sorted((a.emotion, b.emotion))
                    count = counts.setdefault((first, second), Counter())
                    count["pairs"] += 1
                    count.update(compare(answers[a.path], answers[b.path]))
    await model.close()
    return counts, sum(fitting) / len(fitting)


def table(title: str, measured: tuple[dict[tuple[str, str], Counter[str]], float]) -> None:
    counts, fitting = measured
    total: Counter[str] = sum(counts.values(), Counter())
    print(f"\n{title}: {total['pairs']} pairs; the reply emotion fits in {fitting:.0%}\n")
    print(
        "| pair | "
        + " | ".join(f"different {one}" for one in MEASURES[:-1])
        + " | no sentence shared |"
    )
    print("|---|" + "---|" * len(MEASURES))
    for pair, count in [*sorted(counts.items()), (("all", ""), total)]:
        shares = " | ".join(f"{count[one] / count['pairs']:.0%}" for one in MEASURES)
        print(f"| {' – '.join(filter(None, pair))} | {shares} |")


async def main(path: Path, splits: Sequence[str], seeds: int) -> None:
    found = recordings(path, splits)
    heard = await hear(found)
    usual = {(one.actor, one.sentence): one for one in found if one.usual}
    before = {}
    for (actor, sentence), one in usual.items():
        other = "02" if sentence == "01" else "01"
        before[actor, other] = UserTurn(one.text, heard[one.path][0])
    perfect = {one.path: as_labelled(one.emotion, heard[one.path][0]) for one in found}
    known = {one.path: as_labelled(one.emotion, heard[one.path][1]) for one in found}
    first, later = ({path: both[i] for path, both in heard.items()} for i in (0, 1))
    right = [0, 0]
    tested = [one for one in found if not one.usual]
    for one in tested:
        for i in (0, 1):
            emotion = heard[one.path][i].emotion
            right[i] += bool(emotion) and max(emotion, key=emotion.__getitem__) == one.emotion
    alone, after = (f"{count / len(tested):.0%}" for count in right)
    actors = len({one.actor for one in found})
    print(f"{len(tested)} recordings of {actors} actors; heard right: {alone}, voice known {after}")
    table("first words", await measure_pairs(found, first, {}, seeds))
    table("voice known", await measure_pairs(found, later, before, seeds))
    table("first words, as labelled", await measure_pairs(found, perfect, {}, seeds))
    table("voice known, as labelled", await measure_pairs(found, known, before, seeds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument(
        "--all", action="store_true", help="all actors, not those of the test split"
    )
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    splits = ["train", "dev", "test"] if arguments.all else ["test"]
    asyncio.run(main(arguments.manifest, splits, arguments.seeds))
