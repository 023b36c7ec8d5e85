"""Run random sequences of events through the model and the core side by side.

A sequence is a list of plain tuples that do not depend on what happens when they are run
("advance to the next deadline, and 1 ns more"), so that any part of it is a sequence too, and a
failure can be shortened. What is drawn here, and in which order, gives the seeds in seeds.txt
their meaning: new kinds of operations belong into a new generator beside this one.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from rfc9568 import MILLISECOND, PENDING, SECOND, Advert, Router, Settings

from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import NoteKind, Reason, State

Operation = tuple[Any, ...]

OWN = 0x0A000005
SOURCES = (0x0A000001, 0x0A000004, OWN, 0x0A000006, 0xE5000001)
PRIORITIES = (1, 2, 100, 127, 128, 200, 254)
FAULTS = (0, 0, 0, 1, PENDING, 4, PENDING | 1, 5)
DELAYS = (0, 0, SECOND, 5 * SECOND)
ORDER = {"SEND": 0, "WITHDRAW": 1, "INSTALL": 2, "ANNOUNCE": 3}


class Garp:
    def __init__(self, settings: Settings) -> None:
        self.delay = settings.garp_delay
        self.repeat = settings.garp_repeat
        self.refresh = settings.garp_refresh
        self.refresh_repeat = settings.garp_refresh_repeat
        self.lower_prio_delay = settings.garp_lower_delay
        self.lower_prio_repeat = settings.garp_lower_repeat


class Case:
    """One random configuration and one random sequence; both follow from the seed."""

    def __init__(self, seed: int, length: int = 60) -> None:
        random = Random(seed)
        version = random.choice((2, 3))
        intervals: tuple[int, ...] = (SECOND, 3 * SECOND)
        if version == 3:
            intervals += (10 * MILLISECOND, 250 * MILLISECOND, 40_950 * MILLISECOND)
        self.seed = seed
        self.settings = Settings(
            version=version,
            interval=random.choice(intervals),
            source=OWN,
            owner_at_start=random.random() < 0.5,
            preempt=random.random() < 0.7,
            preempt_delay=random.choice((0, 0, 1, SECOND, 5 * SECOND)),
            garp_delay=random.choice(DELAYS),
            garp_repeat=random.choice((0, 1, 5)),
            garp_refresh=random.choice(DELAYS),
            garp_refresh_repeat=random.choice((1, 2)),
            garp_lower_delay=random.choice(DELAYS),
            garp_lower_repeat=random.choice((0, 1, 5)),
        )
        self.priority = random.choice((*PRIORITIES, 255, 255, 255))
        self.faults = random.choice((*FAULTS, PENDING, PENDING, PENDING))
        self.operations = [("startup",), *(operation(random) for _ in range(length))]


def operation(random: Random) -> Operation:
    """Return one random event, or one random way for time to pass."""
    kind = random.choices(
        (
            "to_deadline",
            "elapse",
            "stand_still",
            "advert",
            "priority",
            "faults",
            "startup",
            "shutdown",
        ),
        (30, 10, 8, 38, 5, 5, 2, 2),
    )[0]
    if kind == "to_deadline":
        return (kind, random.choice((-1, 0, 0, 0, 1, "half", "half+1", "half-1", "long")))
    if kind in ("elapse", "stand_still"):
        return (
            kind,
            random.choice((1, 1000, 50 * MILLISECOND, 100 * MILLISECOND, SECOND, 7 * SECOND)),
        )
    if kind == "advert":
        return (kind, advert_priority(random), random.randrange(5), random.choice(SOURCES))
    if kind == "priority":
        return (kind, random.choice(PRIORITIES))
    if kind == "faults":
        return (kind, random.choice(FAULTS))
    return (kind,)


def advert_priority(random: Random) -> tuple[str, int]:
    """Return an absolute priority, or one relative to that of the router."""
    if random.random() < 0.5:
        return ("relative", random.choice((-1, 0, 0, 1)))
    return ("absolute", random.choice((0, 0, 1, 100, 254, 255)))


class Pair:
    """The model and the core, fed the same."""

    def __init__(self, case: Case) -> None:
        self.now = 1_000_000_000_000
        self.case = case
        self.difference = ""
        self.model = Router(case.settings, case.priority, case.faults)
        self.core = Core(1)
        s = case.settings
        self.core.add(
            RouterParams(
                vrid=1,
                version=s.version,
                priority=case.priority,
                start_active=s.owner_at_start,
                preempt=s.preempt,
                preempt_delay=s.preempt_delay,
                advert_interval=s.interval,
                source=OWN.to_bytes(4, "big"),
                addresses=(b"\x0a\x00\x00\x63",),
                garp=Garp(s),
                faults=case.faults,
            )
        )

    def run(self, operations: Sequence[Operation]) -> str:
        """Run `operations`; return "" or what differed, and after which of them."""
        for index, (kind, *arguments) in enumerate(operations):
            getattr(self, kind)(*arguments)
            self.compare()
            if self.difference:
                return f"in operation {index} {operations[index]}, {self.difference}"
        return ""

    # ---- operations ----

    def startup(self) -> None:
        self.model.startup(self.now)
        self.core.startup(0, self.now)

    def shutdown(self) -> None:
        self.model.shutdown(self.now)
        self.core.shutdown(0, self.now)

    def priority(self, priority: int) -> None:
        if self.model.priority not in (priority, 255):
            self.model.set_priority(priority, self.now)
            self.core.set_priority(0, priority, self.now)

    def faults(self, faults: int) -> None:
        self.model.set_faults(faults, self.now)
        self.core.set_faults(0, faults, self.now)

    def advert(self, priority: tuple[str, int], interval: int, source: int) -> None:
        kind, value = priority
        if kind == "relative":
            value = min(max(self.model.priority + value, 0), 255)
        own = self.case.settings.interval
        heard = own
        if self.case.settings.version == 3:
            heard = (own, 10 * MILLISECOND, 500 * MILLISECOND, SECOND, 2 * SECOND)[interval]
        self.model.advert(Advert(value, heard, source), self.now)
        self.core.hear(
            0,
            priority=value,
            interval=heard,
            source=source.to_bytes(4, "big"),
            now=self.now,
            addresses=(b"\x0a\x00\x00\x63",),
        )

    def stand_still(self, duration: int) -> None:
        """Time passes, and nobody looks at the timers."""
        self.now += duration

    def to_deadline(self, offset: int | str) -> None:
        timers = self.model.timers()
        if not timers:
            return
        half = self.model.active_adver_interval // 2
        late = {"half": half, "half+1": half + 1, "half-1": half - 1, "long": 20 * half + 7}
        past_due = late[offset] if isinstance(offset, str) else offset
        self.now = max(self.now, min(timers.values()) + past_due)
        self.advance()

    def advance(self) -> None:
        self.model.advance(self.now)
        self.core.advance(self.now)
        self.compare()

    def elapse(self, duration: int) -> None:
        """Time passes, and every timer fires when it is due."""
        end = self.now + duration
        while (due := min(self.model.timers().values(), default=end)) < end:
            self.now = max(self.now, due)
            self.advance()
        self.now = end
        self.advance()

    # ---- comparison ----

    def compare(self) -> None:
        """Take what both have done since the last time; keep the first difference."""
        model, status = self.model, self.core.status(0)
        acts = self.core.drain()
        notes = [n for n in self.core.drain_notes() if n.kind is NoteKind.STATE]
        mine = sorted(model.acts, key=lambda act: ORDER[act[0]])
        theirs = sorted(((act.kind, act.a) for act in acts), key=lambda act: ORDER[act[0]])
        timers = model.timers()
        pairs = {
            "acts": (mine, theirs),
            "instants of acts": ([self.now] * len(acts), [act.at for act in acts]),
            "state": (model.state.replace("WAIT", "INIT"), status["state"].name),
            "changes": (
                model.changes,
                [(State(n.c).name, State(n.a).name, Reason(n.b).name) for n in notes],
            ),
            "protocol deadline": (
                timers.get("Active_Down_Timer", timers.get("Adver_Timer")),
                status["deadline"],
            ),
            "next deadline": (min(timers.values(), default=None), self.core.deadline()),
            "priority": (model.priority, status["priority"]),
        }
        if model.state in ("BACKUP", "ACTIVE"):
            pairs["interval"] = (model.active_adver_interval, status["active_adver_interval"])
            source = int.from_bytes(status["active_source"], "big")
            pairs["active router"] = (model.active_router, source)
            pairs["its priority"] = (model.active_priority, status["active_priority"])
        model.acts, model.changes = [], []
        self.difference = self.difference or "; ".join(
            f"at {self.now}: {what}: model {a}, core {b}"
            for what, (a, b) in pairs.items()
            if a != b
        )


def shorten(case: Case) -> list[Operation]:
    """Return a sequence as short as leaving out single operations makes it, which still differs."""
    operations = list(case.operations)
    index = len(operations) - 1
    while index >= 0:
        without = operations[:index] + operations[index + 1 :]
        if Pair(case).run(without):
            operations = without
        index -= 1
    return operations


def explain(case: Case) -> str:
    """Return "" when model and core agree, else everything needed to understand the difference."""
    if not Pair(case).run(case.operations):
        return ""
    operations = shorten(case)
    lines = [
        f"seed {case.seed}: {case.settings}, priority {case.priority}, faults {case.faults}",
        *(f"  {number:3} {operation}" for number, operation in enumerate(operations)),
        Pair(case).run(operations),
        "Decide from the RFC who is right, and keep the seed in tests/model/seeds.txt.",
    ]
    return "\n".join(lines)
