"""A loop whose time stands still until a test moves it; nothing is ever readable."""

from collections.abc import Callable

from fastvrrp.clock import NS_PER_SECOND

__all__ = ["ManualLoop"]


class _Timer:
    def __init__(self, due: int, call: Callable[[], object]) -> None:
        self.due = due
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualLoop:
    """Satisfies `reactor.Loop`; `now` is in ns."""

    def __init__(self) -> None:
        self.now = 0
        self._timers: list[_Timer] = []

    def add_reader(self, fd: int, callback: Callable[..., object], *args: object) -> None:
        raise NotImplementedError

    def remove_reader(self, fd: int) -> bool:
        raise NotImplementedError

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> _Timer:
        timer = _Timer(self.now + round(delay * NS_PER_SECOND), lambda: callback(*args))
        self._timers.append(timer)
        return timer

    @property
    def waiting(self) -> int:
        """How many timers run."""
        return sum(not timer.cancelled for timer in self._timers)

    def advance(self, duration: int) -> None:
        """Let `duration` ns go by, and run what falls due in it, in order."""
        end = self.now + duration
        while due := [t for t in self._timers if not t.cancelled and t.due <= end]:
            first = min(due, key=lambda t: t.due)
            self._timers.remove(first)
            self.now = first.due
            first.call()
        self.now = end
