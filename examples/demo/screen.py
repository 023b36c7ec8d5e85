"""The run as text: a timeline while it happens, and a table at the end."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from demo.record import Kind, Scenario

MS = 1_000_000
SECOND = 1_000 * MS
STATUS_INTERVAL = 100 * MS  # of the live line on a terminal
BOLD, DIM, RED, GREEN, YELLOW, BLUE, MAGENTA = "1", "2", "31", "32", "33", "34", "35"
COLOURS = {"web1": BLUE, "web2": YELLOW, "client": MAGENTA}
EVENT_INDENT = 22  # where the texts of events begin
ERASE_LINE = "\r\x1b[K"


class Screen:
    """Prints to a stream: coloured and with a live line on a terminal, plain elsewhere."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._coloured = self._live and "NO_COLOR" not in os.environ
        self._columns = shutil.get_terminal_size((100, 24)).columns
        self._scenario: Scenario | None = None
        self._status_due = 0

    def title(self, *lines: str) -> None:
        """What is about to be shown."""
        first, *rest = lines
        self._print(self._paint(first, BOLD))
        for line in rest:
            self._print(self._paint(line, DIM))

    def act(self, title: str) -> None:
        """A headline."""
        self._print("")
        self._print(self._paint(f"== {title} ==", BOLD))

    def scenario(self, scenario: Scenario) -> None:
        """The head of a scenario; the times of what follows count from its fault."""
        self._scenario = scenario
        within = "" if scenario.bound is None else f" within {seconds(scenario.bound)}"
        self._print("")
        head = self._paint(f"{scenario.number}  {scenario.title}", BOLD)
        self._print(f"{head}   {self._paint(f'expected: {scenario.expected}{within}', DIM)}")

    def event(self, at: int, host: str, text: str, kind: Kind | None = None) -> None:
        """Something that happened."""
        time = self._time(at)
        style = {Kind.FAULT: RED, Kind.RECOVERY: GREEN, Kind.NOTE: RED}.get(kind) if kind else None
        name = self._paint(f"{host:<6}", COLOURS[host])
        width = max(self._columns - EVENT_INDENT, 40)
        first, *rest = (self._paint(line, style) for line in textwrap.wrap(text, width))
        self._print(f"  {time}  {name}  {first}")
        for line in rest:
            self._print(" " * EVENT_INDENT + line)

    def result(self, scenario: Scenario) -> None:
        """The end of a scenario."""
        took = "" if scenario.took is None else f"{seconds(scenario.took)}, "
        lost = f"{scenario.lost} requests lost"
        if scenario.failure is None:
            self._print(self._paint(f"     ok: {took}{lost}", GREEN))
        else:
            self._print(self._paint(f" FAILED: {scenario.failure}; {lost}", RED))

    def status(self, holders: Sequence[str], page: str | None, now: int) -> None:
        """On a terminal, a line that always shows how things stand."""
        if not self._live or now < self._status_due:
            return
        self._status_due = now + STATUS_INTERVAL
        held = " and ".join(self._paint(host, COLOURS[host]) for host in holders) or "nobody"
        served = self._paint(page, COLOURS[page]) if page else self._paint("nothing", RED)
        line = f"  {self._time(now)}  address held by {held}, client gets {served}"
        self._stream.write(f"{ERASE_LINE}{line}")
        self._stream.flush()

    def table(self, scenarios: Sequence[Scenario]) -> None:
        """All scenarios with what was expected and what was measured."""
        head = ("", "scenario", "expected", "bound", "measured", "lost", "verdict")
        rows = [
            (
                str(scenario.number),
                scenario.title,
                scenario.expected,
                "" if scenario.bound is None else seconds(scenario.bound),
                "" if scenario.took is None else seconds(scenario.took),
                str(scenario.lost),
                "ok" if scenario.passed else f"FAILED: {scenario.failure}",
            )
            for scenario in scenarios
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        self._print("")
        self._print(self._paint(_row(head, widths), BOLD))
        for row, scenario in zip(rows, scenarios, strict=True):
            self._print(self._paint(_row(row, widths), GREEN if scenario.passed else RED))

    def line(self, text: str) -> None:
        """Plain text."""
        self._print(text)

    def _time(self, at: int) -> str:
        since = at - self._scenario.fault if self._scenario else 0
        return self._paint(f"{max(since, 0) // MS:>7,} ms".replace(",", " "), DIM)

    def _print(self, text: str) -> None:
        self._stream.write(f"{ERASE_LINE if self._live else ''}{text}\n")
        self._stream.flush()

    def _paint(self, text: str, style: str | None) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._coloured and style else text


def seconds(duration: int) -> str:
    """A duration in ns as people read it."""
    return f"{duration / SECOND:.2f} s"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    number, *words = cells
    texts = [f"{number:>{widths[0]}}"]
    for place, (word, width) in enumerate(zip(words, widths[1:], strict=True)):
        texts.append(f"{word:>{width}}" if place in (2, 3, 4) else f"{word:<{width}}")
    return "  ".join(texts).rstrip()
