"""The engine on servers of the tests' own."""

from contextlib import asynccontextmanager

import pytest

from voice_agent.thinking.models.openai_compatible import OpenAICompatibleModel


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def engine():
    """Opens the engine on the server of an address, with options."""

    @asynccontextmanager
    async def opened(url: str, **options):
        kind = OpenAICompatibleModel
        model = await kind.create(kind.Options(base_url=url, **options))
        try:
            yield model
        finally:
            await model.close()

    return opened
