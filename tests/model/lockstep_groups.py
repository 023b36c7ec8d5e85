"""The same as lockstep.py, for one to four members of a sync group and every setting: send
failures, suspended hosts, rival owners, late timers, AH sequences near their end.

A case can be written as JSON and read back: tests/model/transcripts/ keeps what once differed.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from lockstep import FAULTS, ORDER, OWN, PRIORITIES, SOURCES, Garp, advert_priority
from rfc9568 import MILLISECOND, SECOND, Advert, Group, Router, Settings, advance

from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import Fault, NoteKind, Reason, State

Operation = list[Any]

VIP = b"\x0a\x00\x00\x63"
AH_END = 0xFFFF_F000
TOLD = {
    NoteKind.OWNER_REDUCED,
    NoteKind.GROUP_WAITS,
    NoteKind.SEND_FAULT,
    NoteKind.SEQUENCE_END,
}
SPANS = (1, 1000, 50 * MILLISECOND, 100 * MILLISECOND, SECOND, 7 * SECOND, 400 * SECOND)
MOST_EVENTS = 60
APART = (0, 1009, 10_007, 100_003)
"""ns by which the intervals of the members differ: what is due in the same instant has no order of
its own."""
GARP_DELAYS = (0, 0, SECOND + 7, 5 * SECOND + 9)


@dataclass(frozen=True)
class Member:
    """One router as it is before it starts."""

    settings: Settings
    priority: int
    faults: int = 0


@dataclass(frozen=True)
class GroupCase:
    """Members, whether they are a sync group (one alone may be none), and what befalls them."""

    members: tuple[Member, ...]
    grouped: bool
    operations: list[Operation]
    name: str = ""

    def to_json(self) -> str:
        """Return what `from_json` takes."""
        return json.dumps(asdict(self), indent=1)

    @staticmethod
    def from_json(text: str) -> "GroupCase":
        """Return the case that `to_json` wrote."""
        data = json.loads(text)
        members = tuple(
            Member(**{**member, "settings": Settings(**member["settings"])})
            for member in data.pop("members")
        )
        return GroupCase(members=members, **data)


def random_case(seed: int, length: int = 60) -> GroupCase:
    """Return the case that follows from `seed`."""
    random = Random(seed)
    count = random.choice((1, 1, 2, 2, 2, 3, 4))
    owners = random.random() < 0.3
    version = random.choice((2, 3))
    members = tuple(random_member(random, i, version, owners=owners) for i in range(count))
    operations: list[Operation] = []
    if random.random() < 0.7:
        operations += [["startup", i] for i in range(count)]
    while len(operations) < length:
        operations += pattern(random, count)
    return GroupCase(members, count > 1 or random.random() < 0.5, operations, f"seed {seed}")


def random_member(random: Random, index: int, version: int, *, owners: bool) -> Member:
    """Return a member."""
    intervals: tuple[int, ...] = (SECOND, 3 * SECOND)
    if version == 3:
        intervals = (SECOND, 10 * MILLISECOND, 250 * MILLISECOND, 40_950 * MILLISECOND)
    ah = version == 2 and random.random() < 0.4
    settings = Settings(
        version=version,
        interval=random.choice(intervals) + APART[index],
        source=OWN,
        owner_at_start=random.random() < (0.95 if owners else 0.3),
        preempt=random.random() < 0.7,
        preempt_delay=random.choice((0, 0, 1, SECOND, 5 * SECOND)),
        garp_delay=random.choice(GARP_DELAYS),
        garp_repeat=random.choice((0, 1, 5)),
        garp_refresh=random.choice(GARP_DELAYS),
        garp_refresh_repeat=random.choice((1, 2)),
        garp_lower_delay=random.choice(GARP_DELAYS),
        garp_lower_repeat=random.choice((0, 1, 5)),
        down_timer_adverts=random.choice((1, 2, 3, 3, 3, 100)),
        timer_expired_backup=random.choice((0, 0, 1, 200, 254)),
        owner_ignore_adverts=random.random() < 0.15,
        lower_prio_no_advert=random.random() < 0.3,
        higher_prio_send_advert=random.random() < 0.3,
        ah=ah,
    )
    priority = 255 if owners and random.random() < 0.95 else random.choice((*PRIORITIES, 255))
    return Member(settings, priority, random.choice((0, 0, 0, *FAULTS)))


def pattern(random: Random, count: int) -> list[Operation]:
    """Return one or several random events that belong together."""
    one = random.randrange(count)
    weights = {
        single: 85,
        rival_stays: 8,
        sequence_ends: 5,
        nothing_leaves: 3,
        late_timer: 2,
        late_advert: 3,
        yields_crosswise: 5,
        all_heal: 3,
        quiet: 4,
    }
    return random.choices(tuple(weights), tuple(weights.values()))[0](random, one, count)


def single(random: Random, one: int, _: int) -> list[Operation]:
    kind = random.choices(tuple(SINGLES), tuple(weight for weight, _ in SINGLES.values()))[0]
    return [[kind, *SINGLES[kind][1](random, one)]]


def rival_stays(random: Random, one: int, _: int) -> list[Operation]:
    """Adverts of another owner, again and again, and then something else."""
    source = random.choice((SOURCES[0], SOURCES[0], SOURCES[1], SOURCES[3]))
    advert = ["advert", one, ["absolute", 255], random.randrange(5), source]
    between = random.choice((SECOND // 2, SECOND, 3 * SECOND, 7 * SECOND))
    after = ["advert", one, ["absolute", random.choice((0, 200, 255))], 0, SOURCES[1]]
    if random.random() < 0.3:
        after = ["elapse", random.choice((7, 130)) * SECOND]
    return [*[advert, ["elapse", between]] * random.randint(2, 9), advert, after]


def sequence_ends(_: Random, one: int, __: int) -> list[Operation]:
    return [["sequence", one, AH_END - 1], ["to_deadline", 0], ["to_deadline", 0]]


def nothing_leaves(random: Random, one: int, _: int) -> list[Operation]:
    return [["link", one, "broken"], *([["to_deadline", 0]] * random.randint(3, 12))]


def late_timer(random: Random, _: int, __: int) -> list[Operation]:
    return [["stand_still", random.choice((4, 10, 500)) * SECOND], ["to_deadline", 0]]


def late_advert(random: Random, one: int, _: int) -> list[Operation]:
    """An advert is looked at before the timers that have run out meanwhile."""
    heard = list(advert_priority(random))
    span = random.choice((3, 4, 10)) * random.choice((SECOND, SECOND, 10 * MILLISECOND))
    return [["stand_still", span], ["advert", one, heard, 0, random.choice(SOURCES)]]


def yields_crosswise(random: Random, one: int, count: int) -> list[Operation]:
    """A better router is heard by one member, and perhaps by others, and then there is silence, or
    a resignation."""
    operations = [["advert", one, ["absolute", random.choice((254, 255))], 0, SOURCES[4]]]
    if random.random() < 0.4:
        operations += [["elapse", random.choice((1, 7 * MILLISECOND, SECOND // 2, SECOND))]]
        operations += [["advert", random.randrange(count), ["absolute", 255], 0, SOURCES[4]]]
    if random.random() < 0.3:
        operations += [["advert", random.randrange(count), ["absolute", 0], 0, SOURCES[4]]]
    return operations + [["to_deadline", random.choice((0, 0, 0, "half", "long"))]] * (2 * count)


def all_heal(_: Random, __: int, count: int) -> list[Operation]:
    return [
        *(["faults", member, 0] for member in range(count)),
        *(["link", member, "whole"] for member in range(count)),
    ]


def quiet(random: Random, _: int, __: int) -> list[Operation]:
    return [["to_deadline", 0]] * random.randint(2, 10)


def random_advert(random: Random, one: int) -> list[Any]:
    heard = list(advert_priority(random))
    return [one, heard, random.randrange(5), random.choice(SOURCES)]


LATE = (-1, 0, 0, 0, 1, "half", "half+1", "half-1", "long")
LINKS = ("whole", "broken", "one copy", "other copy")
SLEEPS = (0, 10 * MILLISECOND, SECOND, 2 * SECOND, 60 * SECOND)
NEAR_THE_END = (0x102, 0x100, 9, 2, 1)

SINGLES: dict[str, tuple[int, Callable[[Random, int], list[Any]]]] = {
    "to_deadline": (28, lambda random, _: [random.choice(LATE)]),
    "elapse": (10, lambda random, _: [random.choice(SPANS)]),
    "stand_still": (6, lambda random, _: [random.choice(SPANS)]),
    "advert": (34, random_advert),
    "priority": (5, lambda random, one: [one, random.choice((*PRIORITIES, 255))]),
    "faults": (6, lambda random, one: [one, random.choice(FAULTS)]),
    "startup": (4, lambda random, one: [one]),
    "shutdown": (2, lambda random, one: [one]),
    "link": (3, lambda random, one: [one, random.choice(LINKS)]),
    "resume": (6, lambda random, _: [random.choice(SLEEPS)]),
    "clear_send_fault": (1, lambda random, one: [one]),
    "sequence": (2, lambda random, one: [one, AH_END - random.choice(NEAR_THE_END)]),
}
"""Events with their weight and their arguments."""


class Team:
    """The members as the model and the core have them, fed the same."""

    def __init__(self, case: GroupCase) -> None:
        self.now = 1_000_000_000_000
        self.case = case
        self.difference = ""
        self.tied = False
        group = Group()
        self.models = [Router(m.settings, m.priority, m.faults, group) for m in case.members]
        self.links = ["whole"] * len(self.models)
        self.core = Core(len(self.models), 1, 1)
        for vrid, member in enumerate(case.members, 1):
            self.core.add(params(member, vrid, 0 if case.grouped else -1))

    def run(self, operations: Sequence[Operation]) -> str:
        """Run `operations`; return "" or what differed, and after which of them."""
        for index, (kind, *arguments) in enumerate(operations):
            getattr(self, kind)(*arguments)
            self.compare()
            if self.difference:
                return f"in operation {index} {operations[index]}, {self.difference}"
        return ""

    # ---- operations ----

    def startup(self, one: int) -> None:
        self.models[one].startup(self.now)
        self.core.startup(one, self.now)

    def shutdown(self, one: int) -> None:
        self.models[one].shutdown(self.now)
        self.core.shutdown(one, self.now)

    def priority(self, one: int, priority: int) -> None:
        if self.models[one].priority != priority:
            self.models[one].set_priority(priority, self.now)
            self.core.set_priority(one, priority, self.now)

    def faults(self, one: int, faults: int) -> None:
        self.models[one].set_faults(faults, self.now)
        self.core.set_faults(one, faults, self.now)

    def link(self, one: int, state: str) -> None:
        """From now on the adverts of `one` leave: whole, broken, or one of two copies does."""
        self.links[one] = state

    def resume(self, slept: int) -> None:
        for model in self.models:
            model.resume(slept, self.now)
        self.core.resume(slept, self.now)

    def sequence(self, one: int, at_least: int) -> None:
        """As after a restart, or after very many adverts."""
        if self.models[one].settings.ah:
            self.models[one].ah_sequence = max(self.models[one].ah_sequence, at_least)
            self.core.restore_marks(one, [], (at_least, 0), self.now)

    def clear_send_fault(self, one: int) -> None:
        self.models[one].clear_send_fault(self.now)
        self.core.clear_send_fault(one, self.now)

    def advert(self, one: int, priority: Sequence[Any], interval: int, source: int) -> None:
        self.now += 11  # so that members never hear something in the same instant
        model = self.models[one]
        kind, value = priority
        if kind == "relative":
            value = min(max(model.priority + value, 0), 255)
        own = heard = model.settings.interval
        if model.settings.version == 3:
            choices = (0, 10 * MILLISECOND, 500 * MILLISECOND, SECOND, 2 * SECOND)
            heard = choices[interval] + APART[one] if interval else own
        model.advert(Advert(value, heard, source), self.now)
        self.core.hear(
            one,
            priority=value,
            interval=heard,
            source=source.to_bytes(4, "big"),
            now=self.now,
            addresses=(VIP,),
        )

    def stand_still(self, duration: int) -> None:
        """Time passes, and nobody looks at the timers."""
        self.now += duration

    def next_due(self) -> int | None:
        return min((at for m in self.models for at in m.timers().values()), default=None)

    def to_deadline(self, offset: int | str) -> None:
        due = self.next_due()
        if due is None:
            return
        half = self.models[0].active_adver_interval // 2
        late = {"half": half, "half+1": half + 1, "half-1": half - 1, "long": 20 * half + 7}
        self.now = max(self.now, due + (late[offset] if isinstance(offset, str) else offset))
        self.advance()

    def advance(self) -> None:
        """Members that let others go first wait for one instant: which of them then takes the
        others along has no order."""
        waiting = [m.active_down_timer for m in self.models if m.active_down_timer is not None]
        self.tied = len(set(waiting)) < len(waiting)
        advance(self.models, self.now)
        self.core.advance(self.now)
        self.compare()
        self.tied = False

    def elapse(self, duration: int) -> None:
        """Time passes, and every timer fires when it is due; but not too many."""
        end = self.now + duration
        for _ in range(MOST_EVENTS):
            due = self.next_due()
            if due is None or due >= end or self.difference:
                break
            self.now = max(self.now, due)
            self.advance()
        self.now = end
        self.advance()

    # ---- comparison ----

    def compare(self) -> None:
        """Take what both have done since the last time; keep the first difference."""
        acts, notes = self.core.drain(), self.core.drain_notes()
        pairs: dict[str, tuple[Any, Any]] = {
            "instants of acts": ([self.now] * len(acts), [act.at for act in acts]),
            "next deadline": (self.next_due(), self.core.deadline()),
        }
        for one, model in enumerate(self.models):
            if model.life == "gone":
                continue
            pairs |= {
                f"{what} of {one}": pair
                for what, pair in self.of_one(
                    one,
                    model,
                    [a for a in acts if a.vr == one],
                    [n for n in notes if n.vr == one],
                ).items()
            }
        sent = [act.vr for act in acts if act.kind == "SEND"]
        for model in self.models:
            model.acts, model.changes, model.notes = [], [], []
        self.difference = self.difference or "; ".join(
            f"at {self.now}: {what}: model {a}, core {b}"
            for what, (a, b) in pairs.items()
            if a != b
        )
        for one in sent:
            self.report(one)
        if sent:
            self.compare()

    def of_one(
        self, one: int, model: Router, acts: list[Any], notes: list[Any]
    ) -> dict[str, tuple[Any, Any]]:
        """Return what model and core say of one member."""
        status = self.core.status(one)
        timers = model.timers()
        protocol = [timers.get(t) for t in ("Active_Down_Timer", "Adver_Timer", "retry")]
        told = [(n.kind.name, n.a) for n in notes if n.kind in TOLD]
        states = [n for n in notes if n.kind is NoteKind.STATE]
        changes = [(State(n.c).name, State(n.a).name, Reason(n.b).name) for n in states]
        pairs: dict[str, tuple[Any, Any]] = {
            "acts": (
                sorted(model.acts, key=lambda act: ORDER[act[0]]),
                sorted(((act.kind, act.a) for act in acts), key=lambda act: ORDER[act[0]]),
            ),
            "state": (model.state.replace("WAIT", "INIT"), status["state"].name),
            "changes": (self.without_order(model.changes), self.without_order(changes)),
            "notes": (model.notes, told),
            "protocol deadline": (
                next((at for at in protocol if at is not None), None),
                status["deadline"],
            ),
            "priority": (model.priority, status["priority"]),
        }
        if model.life == "started":
            pairs["faults"] = (Fault(model.held_back()), status["faults"])
        if model.settings.ah:
            pairs["AH sequence"] = (model.ah_sequence, self.core.sequence(one)[0])
        if model.state in ("BACKUP", "ACTIVE"):
            pairs["interval"] = (model.active_adver_interval, status["active_adver_interval"])
            source = int.from_bytes(status["active_source"], "big")
            pairs["active router"] = (model.active_router, source)
            pairs["its priority"] = (model.active_priority, status["active_priority"])
        return pairs

    def without_order(self, changes: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        """Return `changes` without the reasons that depend on which of two timers fired first."""
        if not self.tied:
            return changes
        return [(old, new, "" if new == "ACTIVE" else why) for old, new, why in changes]

    def report(self, one: int) -> None:
        """Say what became of both copies of an advert."""
        copies = {
            "whole": ("sent", "sent"),
            "broken": ("failed", "failed"),
            "one copy": ("sent", "failed"),
            "other copy": ("failed", "sent"),
        }
        for copy in copies[self.links[one]]:
            if copy == "sent":
                self.models[one].advert_went_out()
                self.core.sent(one)
            else:
                self.models[one].advert_failed(self.now, 100)
                self.core.send_failed(one, 100, self.now)


def params(member: Member, vrid: int, group: int) -> RouterParams:
    """Return the member as the core takes it."""
    s = member.settings
    return RouterParams(
        vrid=vrid,
        version=s.version,
        priority=member.priority,
        start_active=s.owner_at_start,
        preempt=s.preempt,
        preempt_delay=s.preempt_delay,
        advert_interval=s.interval,
        source=OWN.to_bytes(4, "big"),
        addresses=(VIP,),
        auth_type=2 if s.ah else 0,
        password=b"secret" if s.ah else b"",
        garp=Garp(s),
        faults=member.faults,
        group=group,
        down_timer_adverts=s.down_timer_adverts,
        timer_expired_backup=s.timer_expired_backup,
        owner_ignore_adverts=s.owner_ignore_adverts,
        lower_prio_no_advert=s.lower_prio_no_advert,
        higher_prio_send_advert=s.higher_prio_send_advert,
    )


def run(case: GroupCase) -> str:
    """Return "" when model and core agree, else the first difference."""
    return Team(case).run(case.operations)


def shorten(case: GroupCase) -> GroupCase:
    """Return a case as short as leaving out single operations makes it, which still differs."""
    operations = list(case.operations)
    index = len(operations) - 1
    while index >= 0:
        without = operations[:index] + operations[index + 1 :]
        if Team(case).run(without):
            operations = without
        index -= 1
    return GroupCase(case.members, case.grouped, operations, case.name)


def explain(case: GroupCase) -> str:
    """Return "" when model and core agree, else everything needed to understand the difference."""
    if not run(case):
        return ""
    short = shorten(case)
    return "\n".join(
        (
            f"{case.name}, grouped {case.grouped}:",
            *(f"  {number} {member}" for number, member in enumerate(short.members)),
            *(f"  {number:3} {operation}" for number, operation in enumerate(short.operations)),
            run(short),
            "Decide from the RFC and the specification who is right, and keep this file in",
            "tests/model/transcripts:",
            short.to_json(),
        )
    )
