"""Runs the agent's server for a benchmark, in its own process."""

import asyncio
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator

import psutil


@contextlib.asynccontextmanager
async def server(*options: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Starts ``voice-agent serve`` on a free port; gives its websocket's address and process."""
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "voice_agent", "serve", "--port", "0", *options,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "XDG_DATA_HOME": folder, "NO_COLOR": "1", "COLUMNS": "200"},
        )  # fmt: skip
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                if found := re.search(r"http://([\d.]+:\d+)", line.decode()):
                    break
            else:
                raise RuntimeError("the server did not start; try `voice-agent serve`")
            drain = asyncio.create_task(process.stdout.read())
            yield f"ws://{found[1]}/v1/realtime", psutil.Process(process.pid)
            drain.cancel()
        finally:
            process.terminate()
            await process.wait()


def memory_mb(process: psutil.Process) -> float:
    """Memory of a process and its workers that nobody else has (USS)."""
    return sum(p.memory_full_info().uss for p in [process, *process.children(True)]) / 1e6


def cpu_s(process: psutil.Process) -> float:
    """Processor seconds of a process and its workers so far."""
    return sum(sum(p.cpu_times()[:2]) for p in [process, *process.children(True)])
