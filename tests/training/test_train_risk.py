"""Training the model of risk: a small model of the same kind, from its files to its answers."""

import json
import random

import pytest

from voice_agent.errors import EngineUnavailable, ManifestError
from voice_agent.thinking.safety.risk_model import RiskModel, heard_form, windows
from voice_agent.training.misrecognition import misrecognised

pytest.importorskip("torch", reason="needs the extra 'train'")
pytest.importorskip("transformers", reason="needs the extra 'transformers'")

RISKY = ["i want to die tonight", "i do not want to be here", "i wish i was dead", "let me die now"]
HARMLESS = ["i want to eat tonight", "we had a nice day", "my dog is happy", "let me sleep now"]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A BERT of random weights and its tokenizer."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("base")
    words = sorted({word for text in RISKY + HARMLESS for word in text.split()})
    letters = "abcdefghijklmnopqrstuvwxyz'"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words, "unheard", *letters]
    pieces += [f"##{letter}" for letter in letters]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        unk_token="[UNK]",
    )  # fmt: skip
    fast.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    """The model, trained and written, and what the network says before."""
    from voice_agent.training import risk

    utterances = [(text, 1.0) for text in RISKY] + [(text, 0.0) for text in HARMLESS]
    recipe = risk.Recipe(layers=(0, 1), epochs=40, seed=3)
    network, tokenizer = risk.train(utterances * 12, HARMLESS, base, recipe)
    out = tmp_path_factory.mktemp("risk")
    before = risk.probabilities(network, tokenizer, RISKY + HARMLESS)
    risk.save(network, tokenizer, RISKY + HARMLESS, out)
    return out, before


def test_what_is_learnt_survives_being_written(trained):
    folder, before = trained
    model = RiskModel.load(folder)
    after = [model.probability(text) for text in RISKY + HARMLESS]
    assert after == pytest.approx(list(before), abs=0.1)
    risky, harmless = after[: len(RISKY)], after[len(RISKY) :]
    assert sum(risky) / len(risky) > sum(harmless) / len(harmless) + 0.1


def test_capitals_and_marks_make_no_difference(trained):
    model = RiskModel.load(trained[0])
    assert model.probability("I want to die, tonight!") == model.probability(RISKY[0])


def test_a_long_story_is_as_risky_as_its_riskiest_part(trained):
    model = RiskModel.load(trained[0])
    story = " ".join([*HARMLESS * 8, *RISKY, *HARMLESS * 8])
    parts = [model.probability(part) for part in windows(story)]
    assert len(parts) > 3
    assert model.probability(story) == max(parts) > min(parts)


def test_words_that_nobody_used_are_left_out(trained):
    vocabulary = json.loads((trained[0] / "tokenizer.json").read_text())["model"]["vocab"]
    assert "tonight" in vocabulary
    assert "unheard" not in vocabulary
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))


@pytest.mark.parametrize("text", ["", "   ", "☃ …!", "\x00", "a" * 5000, "我不想活了"])
def test_any_text_can_be_read(trained, text):
    assert 0 <= RiskModel.load(trained[0]).probability(text) <= 1


def test_long_texts_are_read_in_windows_that_overlap():
    words = [str(number) for number in range(100)]
    pieces = windows(" ".join(words))
    assert all(len(piece.split()) <= 48 for piece in pieces)
    assert {word for piece in pieces for word in piece.split()} == set(words)
    assert heard_form("I’m FINE —  really?") == "i'm fine really"


def test_a_missing_model_says_so(tmp_path):
    with pytest.raises(EngineUnavailable, match="install the package again"):
        RiskModel.load(tmp_path)


def test_misrecognition_keeps_most_of_the_words_and_is_repeatable():
    text = "i do not want to be here any more and nobody would mind if i was not"
    heard = misrecognised(text, random.Random(1))
    assert heard == misrecognised(text, random.Random(1))
    assert heard != text
    assert len(set(text.split()) & set(heard.split())) >= len(set(text.split())) // 2


def test_a_line_of_another_form_is_named(tmp_path):
    from voice_agent.training.risk import read_utterances

    path = tmp_path / "said.jsonl"
    path.write_text('{"text": "hello", "risk": false}\n{"words": "x"}\n')
    with pytest.raises(ManifestError, match=r"said\.jsonl:2"):
        read_utterances(path)
