"""A server that is killed in the middle of a conversation loses no finished turn."""

import asyncio
import json
import os
import re
import signal
import sys

from websockets.asyncio.client import connect

from voice_agent.store import Store


async def say_and_hear(socket, text: str) -> str:
    """Types a line and returns the reply, once the turn is finished."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send(json.dumps({"type": "response.create"}))
    reply = ""
    async for message in socket:
        event = json.loads(message)
        if event["type"] == "response.done":
            reply = event["response"]["output"][0]["content"][0]["text"]
        elif event["type"] == "voice_agent.latency":
            return reply
    raise AssertionError("the connection ended before the reply did")


async def test_kill_9_loses_no_finished_turn(tmp_path):
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "voice_agent", "serve", "--port", "0",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path), "NO_COLOR": "1", "COLUMNS": "200"},
    )  # fmt: skip
    assert server.stdout is not None
    async for line in server.stdout:
        if found := re.search(r"http://([\d.]+:\d+)", line.decode()):
            break
    async with connect(f"ws://{found[1]}/v1/realtime") as socket:
        update = {"type": "realtime", "output_modalities": ["text"]}
        await socket.send(json.dumps({"type": "session.update", "session": update}))
        replies = [await say_and_hear(socket, text) for text in ("my cat is ill", "she is old")]
        server.send_signal(signal.SIGKILL)
        await server.wait()

    store = await Store.open(tmp_path / "voice-agent" / "conversations.db")
    (session,) = await store.sessions()
    turns = await store.turns(session.id)
    assert [turn.user.text for turn in turns] == ["my cat is ill", "she is old"]
    assert [turn.reply for turn in turns] == replies
    await store.close()
