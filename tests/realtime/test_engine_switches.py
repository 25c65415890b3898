"""A stock client whose agent loses an engine of each kind in the midst of a turn."""

from copy import deepcopy

import httpx
import numpy as np
import pytest
from failing_engines import Ears, Mind, Reader, Voice, agent_of
from realtime_fakes import served
from test_openai_client import RATE, append, of, openai, spoken, until  # noqa: F401

SAID = "I failed my exam today and I feel terrible"
REPLY = "Oh, that is a hard day, and it hurts."

LINES = {
    "recognizer": [Ears("ears", "I fell", "feed", after_s=0.8), Ears("other ears", SAID)],
    "paralinguistics": [Reader("reader", "happy", True), Reader("other reader", "sad")],
    "language_model": [Mind("mind", "Great!", 0), Mind("other mind", REPLY)],
    "synthesizer": [Voice("voice", breaks_at=3), Voice("other voice")],
}


@pytest.fixture
async def agent(tmp_path):
    agent = await agent_of(tmp_path, **deepcopy(LINES))
    yield agent
    await agent.close()


async def test_the_call_goes_on_and_the_client_is_told(agent, spoken):  # noqa: F811
    async with (
        served(agent) as address,
        openai(address).realtime.connect(model="any") as connection,
    ):
        await append(connection, np.concatenate([spoken, np.zeros(2 * RATE, np.float32)]))
        events = await until(connection, "response.done")
        completed = of(events, "conversation.item.input_audio_transcription.completed")[0]
        assert completed.transcript == SAID
        assert events[-1].response.status == "completed"
        assert of(events, "response.output_audio_transcript.done")[0].transcript == REPLY
        assert of(events, "error") == []
        switches = of(events, "voice_agent.engine.switched")
        told = {one.kind: (one.failed, one.instead, one.reason) for one in switches}
        assert told == {
            kind: (first.name, second.name, "the worker died")
            for kind, (first, second) in LINES.items()
        }
        assert len(switches) == len(told)
        async with httpx.AsyncClient(base_url=f"http://{address}") as http:
            health = (await http.get("/healthz")).json()
            metrics = (await http.get("/metrics")).text
    assert health["status"] == "degraded"
    assert health["resting"] == {kind: [first.name] for kind, (first, _) in LINES.items()}
    assert health["engines"]["synthesizer"] == "other voice"
    for kind, (first, _) in LINES.items():
        counter = f'voice_agent_engine_switches_total{{failed="{first.name}",kind="{kind}"}} 1.0'
        assert counter in metrics
