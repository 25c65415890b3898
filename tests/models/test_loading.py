import asyncio
import threading

from voice_agent.models.loading import alone


async def test_models_load_one_at_a_time_in_all_threads() -> None:
    inside, most = 0, 0

    async def load() -> None:
        nonlocal inside, most
        async with alone():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async def several() -> None:
        await asyncio.gather(*(load() for _ in range(3)))

    other = threading.Thread(target=asyncio.run, args=(several(),))
    other.start()
    await several()
    await asyncio.to_thread(other.join)
    assert most == 1


async def test_who_gives_up_or_fails_keeps_nobody_waiting() -> None:
    async def fail() -> None:
        async with alone():
            raise RuntimeError

    async with alone():
        waiting = asyncio.create_task(fail())
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.gather(fail(), return_exceptions=True)
    async with asyncio.timeout(5), alone():
        pass
