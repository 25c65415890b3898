"""Which models a configuration needs."""

from pathlib import Path

import pytest

from voice_agent.config import profiles, read
from voice_agent.models.catalogue import known
from voice_agent.needed_models import best_here, by_profile, needed

FILE = """
extends: embedded
profile: mine
hearing:
  recognizer: {engine: faster_whisper, model: small.en}
  paralinguistics:
    engine: transformers
    models:
      - {model: superb/wav2vec2-base-superb-er, reads: emotion}
      - {model: MIT/ast-finetuned-audioset-10-10-0.4593, reads: events}
thinking:
  language_model: {engine: openai_compatible, model: gpt-4o, base_url: http://127.0.0.1:1/v1}
  fallback:
    - {engine: transformers}
memory: {embedding: all-minilm-l6-v2}
"""


def test_models_are_found_in_options_fallbacks_and_memory(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text(FILE)

    assert needed(read(tmp_path / "mine.yaml")) == (
        "small.en",
        "superb/wav2vec2-base-superb-er",
        "MIT/ast-finetuned-audioset-10-10-0.4593",
        "Qwen/Qwen2.5-1.5B-Instruct",
        "all-minilm-l6-v2",
    )


@pytest.mark.parametrize("profile", ["embedded", "remote", "customer_support"])
def test_profiles_that_run_at_once_need_none(profile):
    assert needed(read(profile)) == ()


def test_what_this_machine_could_run_is_in_the_catalogue():
    assert all(known(name) for name in best_here())


def test_each_profile_is_told():
    assert set(by_profile()) == set(profiles())
