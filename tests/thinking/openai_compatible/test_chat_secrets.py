"""Keys are shown nowhere, and libraries that would log what was said are kept from it."""

import logging

import pytest

from voice_agent import config, logs, settings_reference
from voice_agent.config import engine_options

KEY = "sk-secret"
SETTINGS = f"""
extends: remote
thinking:
  language_model: {{engine: openai_compatible, api_key: {KEY}}}
  fallback:
    - {{engine: openai_compatible, model: other, api_key: {KEY}}}
"""


def test_the_settings_in_force_do_not_show_a_key(tmp_path):
    (tmp_path / "mine.yaml").write_text(SETTINGS)
    read = config.load(tmp_path / "mine.yaml")
    shown = settings_reference.effective(read)
    assert KEY not in shown
    assert shown.count("'********'") == 2
    assert "model: other" in shown
    assert KEY not in repr(engine_options("language_model", read.thinking.language_model))
    assert read.thinking.language_model.options["api_key"] == KEY


@pytest.mark.parametrize("name", ["openai", "httpx", "httpcore", "httpx2", "httpcore2"])
def test_requests_are_not_logged_even_where_somebody_looks_for_faults(name):
    root = logging.getLogger()
    before, handlers, own = root.level, root.handlers[:], logging.getLogger(name).level
    try:
        logs.configure("debug", structured=True)
        assert not logging.getLogger(f"{name}._base_client").isEnabledFor(logging.INFO)
    finally:
        root.setLevel(before)
        root.handlers[:] = handlers
        logging.getLogger(name).setLevel(own)
