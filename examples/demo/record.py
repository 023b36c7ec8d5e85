"""What happened in the run, as plain data: the story fills it, the screen and the picture show it.

Times are ns of CLOCK_MONOTONIC.
"""

from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """What a mark on a lane means."""

    FAULT = "fault"
    RECOVERY = "recovery"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something worth a sign on a host's lane."""

    at: int
    host: str
    kind: Kind
    text: str


@dataclass(slots=True, kw_only=True)
class Span:
    """A time during which something was true of a host; `end` is None while it still is."""

    host: str
    start: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the client; `page` is None when there was no answer."""

    asked: int
    page: str | None


@dataclass(slots=True, kw_only=True)
class Scenario:
    """One part of the story: a fault and what is expected of it."""

    number: int
    title: str
    expected: str
    bound: int | None  # ns from the fault; None where there is nothing to time
    start: int
    fault: int  # what its times count from
    end: int = 0
    took: int | None = None
    taker: str | None = None  # who took the address
    failure: str | None = None
    lost: int = 0  # requests without an answer

    @property
    def passed(self) -> bool:
        """Whether all that was expected happened, in time."""
        return self.failure is None


@dataclass(slots=True, kw_only=True)
class Act:
    """Scenarios that belong together; a row of the picture."""

    title: str
    scenarios: list[Scenario] = field(default_factory=list)

    @property
    def start(self) -> int:
        """When its first scenario began."""
        return self.scenarios[0].start

    @property
    def end(self) -> int:
        """When its last scenario ended."""
        return self.scenarios[-1].end


class Record:
    """Everything that is worth drawing."""

    def __init__(self, routers: tuple[str, ...]) -> None:
        self.routers = routers
        self.acts: list[Act] = []
        self.marks: list[Mark] = []
        self.adverts: list[tuple[int, str]] = []  # when, who
        self.requests: list[Request] = []
        self.holding: list[Span] = []
        self.running: list[Span] = []

    @property
    def scenarios(self) -> list[Scenario]:
        """All scenarios in their order."""
        return [scenario for act in self.acts for scenario in act.scenarios]

    def holders(self) -> list[str]:
        """Who holds the virtual address now."""
        return [span.host for span in self.holding if span.end is None]

    def lost(self, start: int, end: int) -> int:
        """How many requests asked within [start, end) got no answer."""
        return sum(start <= r.asked < end and r.page is None for r in self.requests)

    def close(self, now: int) -> None:
        """End what still lasts and put the requests in the order of asking."""
        for span in (*self.holding, *self.running):
            span.end = span.end or now
        self.requests.sort(key=lambda request: request.asked)


def begin(spans: list[Span], host: str, at: int) -> None:
    """From `at` on it is true of the host."""
    spans.append(Span(host=host, start=at))


def finish(spans: list[Span], host: str, at: int) -> None:
    """From `at` on it is true of the host no more, if it was."""
    for span in spans:
        if span.host == host and span.end is None:
            span.end = at
