"""``voice-agent config``: the settings in force, or all that there are."""

from typing import Annotated

import typer

from voice_agent.cli.options import Source


def config(
    source: Source = "embedded",
    reference: Annotated[
        bool, typer.Option("--reference", help="Describe all settings, as Markdown.")
    ] = False,
) -> None:
    """Print the effective configuration as YAML, each setting with its meaning."""
    from voice_agent import settings_reference
    from voice_agent.config import load

    print(
        settings_reference.markdown() if reference else settings_reference.effective(load(source))
    )
