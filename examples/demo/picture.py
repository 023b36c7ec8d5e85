"""The run as one picture (SVG): a row for each act, a lane for each router and the client."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from demo.record import Act, Kind, Mark, Record, Request, Scenario, Span
from demo.screen import seconds
from demo.style import STYLE
from demo.svg import element, line, rect, text, text_width

SECOND = 1_000_000_000
WIDTH = 1200
LEFT, RIGHT = 82.0, 1184.0  # of the time axis
TOP = 116.0
ACT_TITLE, HEAD, ROUTER_LANE, CLIENT_LANE, AXIS, ACT_GAP = 26.0, 66.0, 70.0, 52.0, 26.0, 26.0
ACT_HEIGHT = ACT_TITLE + HEAD + 2 * ROUTER_LANE + CLIENT_LANE + AXIS + ACT_GAP
BAR, CLIENT_BAR, BADGE, SIGN = 18.0, 14.0, 9.0, 7.5
SMALL = 12.0  # font size
MIN_GAP = 3.0  # a lost request is to be seen
OVERLAP = SECOND // 20  # two holders for a shorter time are a take-over
PERIOD = 10_000_000  # between two requests, ns


def draw(record: Record, setting: str) -> str:
    """The picture of a whole run as the text of an SVG file."""
    height = TOP + ACT_HEIGHT * len(record.acts) - ACT_GAP / 2
    parts = [
        element("title", "Two web servers, one address: who held it, and what the client noticed"),
        element("style", STYLE),
        _hatching(),
        rect(0, 0, WIDTH, height, "f-page"),
        text(20, 36, "Two web servers, one address, real failovers", "title f-text"),
        text(20, 58, f"{setting}; a client asks every 10 ms", "f-muted"),
        *_legend(20, 86),
    ]
    start = record.acts[0].start
    for place, act in enumerate(record.acts):
        parts += _Row(record, act, TOP + place * ACT_HEIGHT, start).draw()
    size = {"width": WIDTH, "height": height, "viewBox": f"0 0 {WIDTH} {height:.0f}"}
    return element("svg", "\n".join(parts), xmlns="http://www.w3.org/2000/svg", **size) + "\n"


def _hatching() -> str:
    stripe = line(0, 0, 0, 8, "s-fault thick")
    pattern = element(
        "pattern",
        stripe,
        id="both",
        width=8,
        height=8,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    return element("defs", pattern)


def _legend(x: float, y: float) -> Iterable[str]:
    """The signs and their meaning, side by side."""
    middle = y - 4
    signs: list[tuple[str, float, Callable[[float], list[str]]]] = [
        ("web1 holds the address", 26, lambda x: [rect(x, middle - 6, 26, 12, "f-web1")]),
        ("web2 holds it", 26, lambda x: [rect(x, middle - 6, 26, 12, "f-web2")]),
        ("backup", 26, lambda x: [line(x, middle, x + 26, middle, "s-muted thick")]),
        ("not running", 26, lambda x: [line(x, middle, x + 26, middle, "s-muted dotted")]),
        (
            "advert",
            12,
            lambda x: [line(x + d, middle - 5, x + d, middle + 5, "s-muted thick") for d in (2, 8)],
        ),
        ("fault", 15, lambda x: _sign(x + SIGN, middle, Kind.FAULT, "fault")),
        ("start", 15, lambda x: _sign(x + SIGN, middle, Kind.RECOVERY, "start")),
        ("client without an answer", 26, lambda x: [rect(x, middle - 6, 26, 12, "f-fault")]),
    ]
    for meaning, width, sign in signs:
        yield from sign(x)
        x += width + 7
        yield text(x, y, meaning, "f-muted")
        x += text_width(meaning, 13) + 22


def _sign(x: float, y: float, kind: Kind, tip: str) -> list[str]:
    """A round sign: a cross for a fault, a triangle that points forward for a start."""
    css = "f-fault s-page" if kind is Kind.FAULT else "f-good s-page"
    disc = element("circle", element("title", tip), cx=x, cy=y, r=SIGN, css=css)
    if kind is Kind.FAULT:
        arms = [(x - 3, y - 3, x + 3, y + 3), (x - 3, y + 3, x + 3, y - 3)]
        return [disc, *(line(*arm, "s-inside thick") for arm in arms)]
    points = f"{x - 2.5:.1f},{y - 4:.1f} {x + 4:.1f},{y:.1f} {x - 2.5:.1f},{y + 4:.1f}"
    return [disc, element("polygon", points=points, css="f-inside")]


@dataclass
class _Labels:
    """Texts in one line of a lane; one that would touch its neighbour is pushed to the right."""

    y: float
    free_from: float = LEFT

    def put(self, x: float, content: str, css: str) -> str:
        """The text at x, or as near to the right of it as there is room."""
        x = max(x, self.free_from)
        width = text_width(content, SMALL)
        x = min(x, RIGHT - width)
        self.free_from = x + width + 8
        return text(x, self.y, content, f"small {css}")


class _Row:
    """The picture of one act."""

    def __init__(self, record: Record, act: Act, top: float, start: int) -> None:
        self._record = record
        self._act = act
        self._start = start  # of the whole run
        self._top = top + ACT_TITLE
        first = self._top + HEAD + ROUTER_LANE / 2 + 4
        self._lanes = {host: first + n * ROUTER_LANE for n, host in enumerate(record.routers)}
        self._client = first + 1.5 * ROUTER_LANE + CLIENT_LANE / 2
        self._bottom = self._client + CLIENT_LANE / 2 - 4

    def draw(self) -> list[str]:
        """All of it, what lies below first."""
        act = self._act
        return [
            text(20, self._top - 8, act.title, "act f-text"),
            *(part for scenario in act.scenarios for part in self._column(scenario)),
            *self._axis(),
            *self._notes(),
            *(part for host in self._record.routers for part in self._router(host)),
            *self._conflicts(),
            *self._waits(),
            *self._client_lane(),
            *self._signs(),
        ]

    def _x(self, at: int) -> float:
        """Where a time is on the axis."""
        at = min(max(at, self._act.start), self._act.end)
        return LEFT + (at - self._act.start) / (self._act.end - self._act.start) * (RIGHT - LEFT)

    def _within(self, at: int) -> bool:
        return self._act.start <= at < self._act.end

    def _visible(self, spans: Iterable[Span]) -> list[tuple[Span, float, float]]:
        """The spans that reach into this act, with their ends on the axis."""
        ends = [(span, self._x(span.start), self._x(span.end or span.start)) for span in spans]
        return [(span, left, right) for span, left, right in ends if right > left]

    def _column(self, scenario: Scenario) -> Iterable[str]:
        """The background and the head of a scenario."""
        left, right = self._x(scenario.start), self._x(scenario.end)
        if scenario.number % 2:
            yield rect(left, self._top, right - left, self._bottom - self._top, "f-band")
        fault = self._x(scenario.fault)
        css = "s-fault" if self._is_fault(scenario) else "s-good"
        yield line(fault, self._top + HEAD, fault, self._bottom, f"{css} thin dashed")
        x, y = left + 8, self._top + 18
        yield element("circle", cx=x + BADGE, cy=y - 4.5, r=BADGE, css="f-muted")
        yield text(x + BADGE, y, str(scenario.number), "small f-page", anchor="middle")
        yield text(x + 2 * BADGE + 6, y, scenario.title, "head f-text")
        within = "" if scenario.bound is None else f" within {seconds(scenario.bound)}"
        yield text(x, y + 19, f"{scenario.expected}{within}", "small f-muted")
        took = "" if scenario.took is None else f"{seconds(scenario.took)}, "
        if scenario.passed:
            yield text(x, y + 37, f"✓ {took}{scenario.lost} requests lost", "small f-good")
        else:
            yield text(x, y + 37, f"✗ {scenario.failure}", "small f-fault")

    def _is_fault(self, scenario: Scenario) -> bool:
        marks = [mark for mark in self._record.marks if scenario.start <= mark.at < scenario.end]
        return any(mark.kind is Kind.FAULT for mark in marks)

    def _axis(self) -> Iterable[str]:
        """Seconds since the start of the run."""
        yield line(LEFT, self._bottom, RIGHT, self._bottom, "s-grid thin")
        first = -(-(self._act.start - self._start) // SECOND)
        last = (self._act.end - self._start) // SECOND
        for second in range(first, last + 1):
            x = self._x(self._start + second * SECOND)
            long = second % 5 == 0
            yield line(x, self._bottom, x, self._bottom + (7 if long else 4), "s-grid thin")
            if long:
                yield text(x, self._bottom + 20, f"{second} s", "small f-muted", anchor="middle")

    def _router(self, host: str) -> Iterable[str]:
        """Name, life, holding of the address, and adverts of a router."""
        y = self._lanes[host]
        yield text(20, y + 4.5, host, f"head f-{host}")
        yield line(LEFT, y, RIGHT, y, "s-grid dotted")
        for _, left, right in self._visible(self._of(self._record.running, host)):
            yield line(left, y, right, y, "s-page thick")  # clears the dots
            yield line(left, y, right, y, f"s-{host} thick")
        for span, left, right in self._visible(self._of(self._record.holding, host)):
            tip = f"{host} holds the address for {seconds((span.end or 0) - span.start)}"
            yield rect(left, y - BAR / 2, right - left, BAR, f"f-{host}", tip=tip)
            if right - left > text_width("MASTER", SMALL) + 12:
                yield text(left + 7, y + 4, "MASTER", "small f-inside")
        for at, sender in self._record.adverts:
            if sender == host and self._within(at):
                x = self._x(at)
                yield line(x, y + BAR / 2 + 3, x, y + BAR / 2 + 10, f"s-{host} thick")

    @staticmethod
    def _of(spans: Iterable[Span], host: str) -> list[Span]:
        return [span for span in spans if span.host == host]

    def _conflicts(self) -> Iterable[str]:
        """Times at which both hold the address."""
        first, second = (self._of(self._record.holding, host) for host in self._record.routers)
        top, bottom = (self._lanes[host] for host in self._record.routers)
        for one in first:
            for other in second:
                start = max(one.start, other.start)
                end = min(one.end or start, other.end or start)
                if end - start < OVERLAP or not self._within(start):
                    continue
                left, right = self._x(start), self._x(end)
                y, height = top + BAR / 2, bottom - top - BAR
                yield rect(left, y, right - left, height, "f-both")
                yield from self._boxed((left + right) / 2, y + height / 2, "both hold it")

    def _waits(self) -> Iterable[str]:
        """From a fault to the taking of the address, with its time."""
        for scenario in self._act.scenarios:
            if scenario.took is None or scenario.taker is None:
                continue
            y = self._lanes[scenario.taker]
            left, right = self._x(scenario.fault), self._x(scenario.fault + scenario.took)
            yield from (line(x, y - 6, x, y + 6, "s-muted thin") for x in (left, right))
            yield from self._boxed((left + right) / 2, y + 4, seconds(scenario.took))

    @staticmethod
    def _boxed(x: float, y: float, content: str) -> Iterable[str]:
        """A text in the middle of other things, on a label."""
        width = text_width(content, SMALL, bold=True) + 14
        yield rect(x - width / 2, y - 13.5, width, 19, "f-page s-grid thin", radius=9.5)
        yield text(x, y, content, "small head f-text", anchor="middle")

    def _client_lane(self) -> Iterable[str]:
        """Whose page the client got, and when it got none."""
        y = self._client
        yield text(20, y + 4.5, "client", "head f-text")
        labels = _Labels(y - CLIENT_BAR / 2 - 5)
        mine = [request for request in self._record.requests if self._within(request.asked)]
        for page, requests in groupby(mine, key=lambda request: request.page):
            yield from self._answers(page, list(requests), labels)

    def _answers(self, page: str | None, requests: list[Request], labels: _Labels) -> Iterable[str]:
        """A stretch of requests with the same answer."""
        y = self._client - CLIENT_BAR / 2
        left, right = self._x(requests[0].asked), self._x(requests[-1].asked + PERIOD)
        if page is not None:
            yield rect(left, y, right - left, CLIENT_BAR, f"f-{page}", tip=f"page of {page}")
            return
        lost = f"{len(requests)} lost"
        yield rect(left, y, max(right - left, MIN_GAP), CLIENT_BAR, "f-fault", tip=lost)
        room = right - left - text_width(lost, SMALL)
        yield labels.put(left + max(room / 2, 0), lost, "head f-fault")

    def _notes(self) -> Iterable[str]:
        """What the routers said of themselves, above their lanes."""
        labels = {host: _Labels(y - BAR / 2 - 6) for host, y in self._lanes.items()}
        for mark in self._marks():
            if mark.kind is Kind.NOTE:
                x, y = self._x(mark.at), self._lanes[mark.host]
                yield line(x, y - BAR / 2 - 4, x, y, "s-muted thin")
                yield labels[mark.host].put(x + 3, mark.text, "f-muted")

    def _signs(self) -> Iterable[str]:
        """What was done to the routers."""
        for mark in self._marks():
            if mark.kind is not Kind.NOTE:
                yield from _sign(self._x(mark.at), self._lanes[mark.host], mark.kind, mark.text)

    def _marks(self) -> list[Mark]:
        """The marks of this act in their order."""
        marks = [mark for mark in self._record.marks if self._within(mark.at)]
        return sorted(marks, key=lambda mark: mark.at)
