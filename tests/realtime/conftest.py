"""A server with an agent that does what the test tells it to."""

import pytest
from realtime_client import Scene
from realtime_fakes import FakeAgent, served


@pytest.fixture
async def scene(request):
    agent = FakeAgent(**getattr(request, "param", {}))
    async with served(agent) as address:
        scene = Scene(agent, address)
        yield scene
        for socket in scene.sockets:
            await socket.close()
