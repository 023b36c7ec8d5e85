"""The two threads of a loop: its turns, and the work on the host beside them."""

import logging
import os
import signal
import threading
from collections.abc import Callable

from fastvrrp.loop.loop import Loop

__all__ = ["LoopThreads"]

log = logging.getLogger("fastvrrp.engine")

_WORKER_PRIORITY = 1  # the lowest real-time one that beats every ordinary thread
_HOT_PRIORITY = 2  # on a single CPU, adverts come before addresses


class LoopThreads:
    """Run `loop`, which is `threaded`, from `start()` until its `stop()`.

    `realtime`: with the real-time class, if the kernel allows it.
    """

    def __init__(self, loop: Loop, *, realtime: bool) -> None:
        self._loop = loop
        self._realtime = realtime
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start both."""
        self._run("worker", self._loop.run_worker, _WORKER_PRIORITY)
        self._run("hot", self._loop.run, _HOT_PRIORITY)

    def join(self) -> None:
        """Wait until both have ended."""
        for thread in self._threads:
            thread.join()

    @property
    def alive(self) -> bool:
        """Whether all that were started still run."""
        return all(thread.is_alive() for thread in self._threads)

    def _run(self, name: str, run: Callable[[], None], priority: int) -> None:
        def body() -> None:
            # Signals are the cold side's.
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            if self._realtime and not set_realtime(priority) and priority == _HOT_PRIORITY:
                log.warning(
                    "no real-time class for the protocol thread (needs CAP_SYS_NICE); adverts may "
                    "be late on a busy host"
                )
            run()

        thread = threading.Thread(target=body, name=f"fastvrrp-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()


def set_realtime(priority: int) -> bool:
    """Give the calling thread SCHED_RR at `priority` (1..99); returns whether the kernel allowed
    it."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        return False
    return True
