"""The commands that install what is missing fit the way in which the agent was installed."""

import json
import shlex
import sys
from types import SimpleNamespace

import pytest

from voice_agent import packages

REQUIRES = [
    "numpy>=1",
    'torch>=2.9; extra == "transformers"',
    'transformers>=5; extra == "transformers"',
    'voice-agent[transformers]; extra == "neural"',
    'coqui-tts>=0.28; extra == "neural"',
    'winonly; sys_platform == "nowhere" and extra == "neural"',
]


def installed(monkeypatch, origin: dict | None) -> None:
    text = None if origin is None else json.dumps(origin)
    metadata = SimpleNamespace(get_all=lambda _: ["transformers", "neural"])
    monkeypatch.setattr(
        packages,
        "distribution",
        lambda _: SimpleNamespace(requires=REQUIRES, metadata=metadata, read_text=lambda _: text),
    )


@pytest.mark.parametrize(
    ("origin", "target"),
    [
        (None, ["voice-agent[neural]"]),
        (
            {"url": "file:///my/own%20checkout", "dir_info": {"editable": True}},
            ["-e", "/my/own checkout[neural]"],
        ),
        (
            {"url": "file:///my/checkout", "dir_info": {}},
            ["voice-agent[neural] @ file:///my/checkout"],
        ),
        (
            {
                "url": "https://example.org/agent.git",
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
            },
            ["voice-agent[neural] @ git+https://example.org/agent.git@abc"],
        ),
    ],
)
def test_an_extra_is_installed_from_where_the_agent_came(monkeypatch, origin, target):
    installed(monkeypatch, origin)

    words = shlex.split(packages.install_command("neural"))

    assert words == [sys.executable, "-m", "pip", "install", *target]


def test_an_extra_has_the_packages_of_those_that_it_names(monkeypatch):
    installed(monkeypatch, None)

    found = {extra: [each.name for each in group] for extra, group in packages.packages().items()}

    assert found[""] == ["numpy"]
    assert found["transformers"] == ["torch", "transformers"]
    assert found["neural"] == ["torch", "transformers", "coqui-tts"]
