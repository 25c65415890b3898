"""Configuration: what is wrong is named with its file, key and what is allowed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from voice_agent import settings_reference
from voice_agent.config import load, profiles
from voice_agent.errors import ConfigError
from voice_agent.settings import Config, Section
from voice_agent.shipped import shipped

CHECKOUT = Path(__file__).parent.parent


def written(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", sorted(profiles()))
def test_each_shipped_profile_is_valid(name):
    assert load(name).profile == name


def test_the_embedded_profile_holds_the_defaults():
    assert load("embedded") == Config()


def test_a_file_changes_only_what_it_names(tmp_path):
    path = written(tmp_path, "extends: embedded\nspeaking: {level_db: -18}\n")

    config = load(path)

    assert config.speaking.level_db == -18
    assert config.speaking.synthesizer.engine == "espeak"
    assert config.hearing == Config().hearing


def test_a_file_can_extend_a_file_beside_it(tmp_path):
    written(tmp_path, "extends: embedded\nserver: {port: 9000}\n", "base.yaml")
    path = written(tmp_path, "extends: base.yaml\nserver: {host: 0.0.0.0}\n")

    assert (load(path).server.host, load(path).server.port) == ("0.0.0.0", 9000)


def test_overrides_win_and_none_is_no_override(tmp_path):
    path = written(tmp_path, "server: {port: 9000, host: '::1'}\n")

    config = load(path, server__port=0, server__host=None)

    assert (config.server.port, config.server.host) == (0, "::1")


def test_an_empty_file_is_the_default(tmp_path):
    assert load(written(tmp_path, "")) == Config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hearing: {vad: {treshold: 0.3}}", r"hearing\.vad\.treshold: there is no such setting"),
        ("hearing: {vad: {threshold: 1.5}}", r"hearing\.vad\.threshold: .*less than 1, found 1.5"),
        ("server: {port: high}", r"server\.port: .*valid integer.*found 'high'"),
        ("safety: {region: mars}", r"safety\.region: .*'us', 'ca'.* or 'international'"),
        (
            "hearing: {recognizer: {engine: ears}}",
            r"hearing\.recognizer: .*no recognizer engine named 'ears'; installed: .*pocketsphinx",
        ),
        (
            "speaking: {synthesizer: {engine: espeak, colour: red}}",
            r"speaking\.synthesizer: .*colour: there is no such setting",
        ),
        ("speaking: {synthesizer: {}}", r"speaking\.synthesizer\.engine: Field required"),
        ("[1, 2]", "must hold keys and values"),
        ("hearing: {", "is not valid YAML"),
        ("extends: nowhere", "no profile and no file named 'nowhere'; profiles: .*embedded"),
        ("extends: [a]", "extends: must be the name"),
    ],
)
def test_a_mistake_is_named(tmp_path, text, says):
    path = written(tmp_path, text)

    with pytest.raises(ConfigError) as refusal:
        load(path)

    assert re.search(says, str(refusal.value))
    if not text.startswith("extends: nowhere"):
        assert str(path) in str(refusal.value)


def test_all_mistakes_are_named_at_once(tmp_path):
    path = written(tmp_path, "server: {port: -1}\nlimits: {sessions: 0}\n")

    with pytest.raises(ConfigError, match=r"(?s)server\.port.*limits\.sessions|limits.*server"):
        load(path)


def test_files_that_extend_each_other_are_refused(tmp_path):
    written(tmp_path, "extends: b.yaml\n", "a.yaml")
    written(tmp_path, "extends: a.yaml\n", "b.yaml")

    with pytest.raises(ConfigError, match="circle"):
        load(tmp_path / "a.yaml")


def test_an_unknown_profile_names_those_that_there_are():
    with pytest.raises(ConfigError, match=r"no profile .*'loud'; profiles: .*embedded"):
        load("loud")


def _sections(model: type[BaseModel]):
    yield model
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _sections(field.annotation)


def test_each_setting_says_what_it_means():
    silent = [
        f"{section.__name__}.{name}"
        for section in _sections(Config)
        for name, field in section.model_fields.items()
        if not field.description
        and not (isinstance(field.annotation, type) and issubclass(field.annotation, Section))
    ]
    assert not silent


def test_the_reference_page_is_what_the_code_says():
    page = CHECKOUT / "docs" / "configuration.md"
    assert page.read_text(encoding="utf-8") == f"{settings_reference.markdown()}\n", (
        "docs/configuration.md is not up to date; run: make docs"
    )


def test_the_reference_names_defaults_bounds_and_choices():
    text = settings_reference.markdown()

    assert "| `threshold` | `0.5` | > 0, < 1 | Probability from which" in text
    assert "`us`, `ca`, `uk`, `ie`, " in text
    assert "## recognizer: pocketsphinx" in text


def test_what_is_in_force_can_be_read_back(tmp_path):
    config = load("embedded", server__port=9001, server__token="very secret")

    text = settings_reference.effective(config)

    assert "very secret" not in text
    assert "# Port to listen on; 0 for any free one" in text
    again = load(written(tmp_path, text), server__token="very secret")
    assert again == config


def test_shipped_folders_are_found():
    assert yaml.safe_load((shipped("configs") / "embedded.yaml").read_text())
    assert (shipped("web") / "index.html").is_file()
    assert (shipped("models") / "catalogue.yaml").is_file()


def test_the_embedded_profile_loads_neither_torch_nor_transformers():
    code = (
        "import sys; from voice_agent.config import load; load('embedded');"
        "import voice_agent.agent;"
        "print([m for m in ('torch', 'transformers', 'TTS') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_where_emotions_are_not_to_be_reflected_voices_are_not_read_for_them(tmp_path):
    path = tmp_path / "work.yaml"
    path.write_text("extends: embedded\nthinking: {reflect_emotions: false}\n")
    assert load(path).engine_choices["paralinguistics"].engine == "manner"
    assert load("embedded").engine_choices["paralinguistics"].engine == "embedded"


@pytest.mark.parametrize(
    ("mode", "strategy", "known"),
    [("companion", "Greeting", "Question"), ("customer_support", "Question", "Greeting")],
)
def test_a_strategy_that_the_mode_does_not_have_is_an_error(tmp_path, mode, strategy, known):
    path = tmp_path / "mine.yaml"
    path.write_text(f"thinking: {{mode: {mode}, strategies: [{strategy}]}}\n")
    with pytest.raises(ConfigError, match=f"there is no {strategy}; allowed are: .*{known}"):
        load(path)
