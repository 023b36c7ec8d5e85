"""The engine inside an asyncio program: prints every change of state, and steps back on demand.

usage: embed_asyncio.py CONFIG

Needs CAP_NET_RAW and CAP_NET_ADMIN. Ctrl-C resigns, removes the addresses and ends.
"""

import asyncio
import signal
import sys

import fastvrrp as fv


async def watch(engine: fv.Engine) -> None:
    """Print changes as they happen."""
    async for change in engine.changes():
        states = f"{change.old.name} -> {change.new.name}"
        print(f"{change.instance}: {states} ({change.text})", flush=True)


async def main(path: str) -> None:
    """Run the configuration file `path` until a signal comes."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)  # the library installs none
    async with fv.Engine(fv.load(path), threaded=True) as engine:
        watcher = asyncio.create_task(watch(engine))
        await stop.wait()
        watcher.cancel()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        asyncio.run(main(sys.argv[1]))
    except fv.FastVrrpError as error:
        sys.exit(str(error))
