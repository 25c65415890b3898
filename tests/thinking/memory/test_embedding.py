"""Recall by meaning: a BERT of random weights tells nothing, but shows that all is passed on."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from voice_agent.models import torchaudio_import

torchaudio_import.ensure()

import torch  # noqa: E402
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, BertTokenizerFast  # noqa: E402

from voice_agent.errors import EngineUnavailable  # noqa: E402
from voice_agent.events import Exchange, Memory, UserTurn  # noqa: E402
from voice_agent.memory_tables import Noticed  # noqa: E402
from voice_agent.person import Person  # noqa: E402
from voice_agent.settings import Memory as Settings  # noqa: E402
from voice_agent.store import Store  # noqa: E402
from voice_agent.thinking.memory.embedding import Embedder  # noqa: E402
from voice_agent.thinking.memory.recollection import Recollection  # noqa: E402

ADA = Person.here("Ada")
WORDS = "you live in leeds york where do i my sister is called anna work as a nurse at home".split()


def bert(folder, seed):
    torch.manual_seed(seed)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS)]
    (folder / "vocab.txt").parent.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=1.0,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return str(bert(folder / "one", 1)), str(bert(folder / "two", 2))


@pytest.fixture
async def embedder(models):
    embedder = await Embedder.create(models[0])
    yield embedder
    await embedder.close()


@pytest.fixture
async def store(tmp_path):
    store = await Store.open(tmp_path / "conversations.db")
    yield store
    await store.close()


async def test_a_vector_is_the_mean_of_the_words_whatever_stands_beside_it(embedder, models):
    texts = ["you live in leeds", "my sister is called anna at home in york"]
    together = await embedder.embed(texts)
    alone = await embedder.embed(texts[:1])

    tokenizer, model = (kind.from_pretrained(models[0]) for kind in (AutoTokenizer, AutoModel))
    with torch.inference_mode():
        hidden = model.eval()(**tokenizer(texts[0], return_tensors="pt")).last_hidden_state[0]
    mean = hidden.mean(0).numpy()
    assert np.allclose(together[0], mean / np.linalg.norm(mean), atol=1e-5)
    assert np.allclose(together[0], alone[0], atol=1e-5)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    assert (await embedder.embed(texts * 40)).shape == (80, 16)


async def test_what_means_the_same_comes_back_without_a_word_in_common(store, embedder):
    class Same(Embedder):
        """Takes two texts for the same."""

        async def embed(self, texts):
            return await super().embed(
                ["you live in leeds" if "dwell" in text else text for text in texts]
            )

    same = Same(embedder.model, embedder._worker, embedder._loaded)
    recollection = await Recollection.open(store, ADA, "s1", Settings(), same)
    await recollection.take_in(Exchange(UserTurn("i live in leeds"), ""))
    await recollection.take_in(Exchange(UserTurn("my sister is called anna"), ""))

    (first, *_) = await recollection.recall(UserTurn("where I dwell it always rains"))
    assert first.text == "you live in leeds"
    by_words = await Recollection.open(store, ADA, "s2", Settings())
    assert await by_words.recall(UserTurn("where I dwell it always rains")) == ()


async def test_another_model_reads_all_memories_anew(store, models):
    vectors = {}
    for model in (*models, models[0]):
        embedder = await Embedder.create(model)
        recollection = await Recollection.open(store, ADA, "s1", Settings(), embedder)
        await recollection.settled()
        if not vectors:
            await recollection.take_in(Exchange(UserTurn("i live in leeds"), ""))
        kept = await store.memories.vectors(ADA, model)
        assert len(kept) == 1
        vectors.setdefault(model, next(iter(kept.values())))
        assert next(iter(kept.values())) == vectors[model]
        await recollection.close()
        await embedder.close()
    assert vectors[models[0]] != vectors[models[1]]
    assert await store.memories.vectors(ADA, models[1]) == {}


async def test_what_was_kept_without_a_model_is_read_when_there_is_one(store, embedder):
    await store.memories.keep(ADA, "s0", [Noticed(Memory("fact", "you live in leeds"), "home")])

    recollection = await Recollection.open(store, ADA, "s1", Settings(), embedder)
    await recollection.settled()

    assert len(await store.memories.vectors(ADA, embedder.model)) == 1
    await recollection.close()


async def test_a_model_that_is_not_here_is_named_with_what_to_do(tmp_path):
    with pytest.raises(EngineUnavailable, match="voice-agent models pull nobody/nothing"):
        await Embedder.create("nobody/nothing")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match="no model with a tokenizer"):
        await Embedder.create(str(tmp_path))


async def test_a_missing_package_is_named_with_what_to_do(models, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(EngineUnavailable, match=r"transformers is not installed.*transformers\]"):
        await Embedder.create(models[0])
