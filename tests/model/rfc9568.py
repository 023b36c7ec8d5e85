"""A slow and obvious virtual router, written from RFC 9568 §6 and not from the core.

It opens with the transition table as data. The first row whose state, event and condition fit is
carried out action by action; an event without a fitting row is ignored. Conditions and actions
are the phrases of the table, and each has its few lines of Python below. Time is integer ns.

Additions to RFC 9568 and their reasons:
- FAULT is Initialize for a reason, and WAIT is Initialize until every tracker has reported once.
- Version 2 follows RFC 3768: Skew_Time scales one second, the peer's interval is not learnt.
- An advert of lower rank is answered in version 2 too (keepalived), and all answers are limited
  to one in 100 ms or half an interval, so that nobody can use us as an amplifier.
- Gratuitous ARP goes out in bursts: at once, again after a delay, and from time to time; after an
  advert of lower rank too, but not more often than once a second.
- preempt_delay: a lower-priority active router is left alone until that much time has passed
  since its first advert.
- A timer that fires more than half an interval late proves that this host stood still, and grants
  a live active router one more interval.
- An equal advert from our own address is a misconfigured network; nothing is done about it here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
OWNER = 255
PENDING = 8
"""The fault that says: a tracker has not reported yet."""


@dataclass(frozen=True)
class Row:
    """One line of the table. `then` None: the state stays. `reason` is that of the state change."""

    state: str
    event: str
    when: str
    do: tuple[str, ...]
    then: str | None = None
    reason: str = ""
    source: str = "RFC 9568"


TAKE_OVER = (
    "take our own interval",
    "forget the active router",
    "stop the preemption delay",
    "send an advert",
    "install the addresses",
    "announce the addresses",
    "start Adver_Timer",
    "schedule further announcements",
)
WATCH = (
    "take our own interval",
    "forget the active router",
    "stop the preemption delay",
    "start Active_Down_Timer",
)
YIELD = (
    "stop all timers",
    "stop the preemption delay",
    "learn the interval",
    "remember the active router",
    "withdraw the addresses",
    "start Active_Down_Timer",
)
RESIGN = ("stop all timers", "send an advert of priority 0", "withdraw the addresses")
FOLLOW = ("learn the interval", "remember the active router", "start Active_Down_Timer")
FAULTS = "faults added here"

TABLE = (
    # ---- Initialize ----
    Row("INIT", "startup", "no fault, owner", TAKE_OVER, "ACTIVE", "OWNER", "RFC 9568 §6.4.1"),
    Row("INIT", "startup", "no fault", WATCH, "BACKUP", "STARTUP", "RFC 9568 §6.4.1"),
    Row("INIT", "startup", "only pending", (), "WAIT", "", FAULTS),
    Row("INIT", "startup", "always", (), "FAULT", "FAULT", FAULTS),
    Row("WAIT", "faults", "no fault, owner", TAKE_OVER, "ACTIVE", "OWNER", FAULTS),
    Row("WAIT", "faults", "no fault", WATCH, "BACKUP", "STARTUP", FAULTS),
    Row("WAIT", "faults", "only pending", (), None, "", FAULTS),
    Row("WAIT", "faults", "always", (), "FAULT", "FAULT", FAULTS),
    Row("WAIT", "shutdown", "always", (), "INIT", "SHUTDOWN", FAULTS),
    # ---- FAULT ----
    Row("FAULT", "faults", "no fault, owner", TAKE_OVER, "ACTIVE", "OWNER", FAULTS),
    Row("FAULT", "faults", "no fault", WATCH, "BACKUP", "FAULT_CLEARED", FAULTS),
    Row("FAULT", "shutdown", "always", (), "INIT", "SHUTDOWN", FAULTS),
    # ---- Backup ----
    Row(
        "BACKUP", "shutdown", "always", ("stop all timers",), "INIT", "SHUTDOWN", "RFC 9568 §6.4.2"
    ),
    Row("BACKUP", "faults", "any fault", ("stop all timers",), "FAULT", "FAULT", FAULTS),
    Row("BACKUP", "priority", "always", ("move Active_Down_Timer",), None, "", "keepalived"),
    Row(
        "BACKUP",
        "Active_Down_Timer",
        "stood still",
        ("grant one interval",),
        None,
        "",
        "stall rule",
    ),
    Row(
        "BACKUP",
        "Active_Down_Timer",
        "active router resigned",
        TAKE_OVER,
        "ACTIVE",
        "RESIGNED",
        "RFC 9568 §6.4.2",
    ),
    Row(
        "BACKUP",
        "Active_Down_Timer",
        "adverts were discarded",
        TAKE_OVER,
        "ACTIVE",
        "PREEMPTION",
        "RFC 9568 §6.4.2",
    ),
    Row("BACKUP", "Active_Down_Timer", "always", TAKE_OVER, "ACTIVE", "TIMEOUT", "RFC 9568 §6.4.2"),
    Row(
        "BACKUP",
        "advert",
        "priority 0",
        ("set Active_Down_Timer to Skew_Time",),
        None,
        "",
        "RFC 9568 §6.4.2",
    ),
    Row(
        "BACKUP",
        "advert",
        "not below ours",
        ("stop the preemption delay", *FOLLOW),
        None,
        "",
        "RFC 9568 §6.4.2",
    ),
    Row("BACKUP", "advert", "no preemption", FOLLOW, None, "", "RFC 9568 §6.4.2"),
    Row(
        "BACKUP",
        "advert",
        "preemption delayed",
        ("start the preemption delay", *FOLLOW),
        None,
        "",
        "keepalived",
    ),
    Row("BACKUP", "advert", "always", ("discard",), None, "", "RFC 9568 §6.4.2"),
    # ---- Active ----
    Row("ACTIVE", "shutdown", "always", RESIGN, "INIT", "SHUTDOWN", "RFC 9568 §6.4.3"),
    Row("ACTIVE", "faults", "any fault", RESIGN, "FAULT", "FAULT", FAULTS),
    Row(
        "ACTIVE",
        "Adver_Timer",
        "always",
        ("send an advert", "restart Adver_Timer from its due time"),
        None,
        "",
        "RFC 9568 §6.4.3",
    ),
    Row("ACTIVE", "announcement", "always", ("announce what is due",), None, "", "keepalived"),
    Row("ACTIVE", "advert", "priority 0", ("answer",), None, "", "RFC 9568 §6.4.3"),
    Row("ACTIVE", "advert", "above ours", YIELD, "BACKUP", "HIGHER_PRIORITY", "RFC 9568 §6.4.3"),
    Row(
        "ACTIVE",
        "advert",
        "equal, higher address",
        YIELD,
        "BACKUP",
        "HIGHER_ADDRESS",
        "RFC 9568 §6.4.3",
    ),
    Row("ACTIVE", "advert", "equal, own address", (), None, "", "keepalived"),
    Row(
        "ACTIVE",
        "advert",
        "always",
        ("answer", "announce after a lower advert"),
        None,
        "",
        "RFC 9568 §6.4.3",
    ),
)


@dataclass(frozen=True)
class Advert:
    """An accepted advert. `source` is an integer, so that addresses compare as the RFC says:
    unsigned."""

    priority: int
    interval: int
    source: int


@dataclass(frozen=True)
class Settings:
    """What is configured; times in ns."""

    version: int
    interval: int
    source: int
    owner_at_start: bool = False
    preempt: bool = True
    preempt_delay: int = 0
    garp_delay: int = 0
    garp_repeat: int = 1
    garp_refresh: int = 0
    garp_refresh_repeat: int = 1
    garp_lower_delay: int = 0
    garp_lower_repeat: int = 1


class Router:
    """One virtual router. Give it events; read `state`, the timers, and what it did: `acts` and
    `changes`."""

    def __init__(self, settings: Settings, priority: int, faults: int = 0) -> None:
        self.settings = settings
        self.priority = priority
        self.faults = faults
        self.state = "INIT"
        self.now = 0
        self.acts: list[tuple[str, int]] = []
        self.changes: list[tuple[str, str, str]] = []
        self.active_adver_interval = settings.interval
        self.active_router = 0
        self.active_down_timer: int | None = None
        self.adver_timer: int | None = None
        self.burst: tuple[int, int] | None = None  # when, rounds
        self.refresh: int | None = None
        self.preempt_at: int | None = None
        self.resigned = False
        self.discarded = False
        self.granted = False
        self.answer_not_before = 0
        self.lower_burst_not_before = 0
        self.priority_before = priority

    # ---- events ----

    def startup(self, now: int) -> None:
        self._event("startup", now)

    def shutdown(self, now: int) -> None:
        self._event("shutdown", now)

    def set_faults(self, faults: int, now: int) -> None:
        self.faults = faults
        self._event("faults", now)

    def set_priority(self, priority: int, now: int) -> None:
        self.priority_before, self.priority = self.priority, priority
        self._event("priority", now)

    def advert(self, advert: Advert, now: int) -> None:
        self._event("advert", now, advert)

    def advance(self, now: int) -> None:
        """Fire every timer that is due."""
        while True:
            due = {name: at for name, at in self.timers().items() if at <= now}
            if not due:
                return
            self._event(min(due, key=lambda name: due[name]), now)

    def timers(self) -> dict[str, int]:
        """Return the running timers by the name of their event."""
        announcements = [
            at for at in (self.burst and self.burst[0], self.refresh) if at is not None
        ]
        timers = {
            "Active_Down_Timer": self.active_down_timer,
            "Adver_Timer": self.adver_timer,
            "announcement": min(announcements, default=None),
        }
        return {name: at for name, at in timers.items() if at is not None}

    def _event(self, event: str, now: int, advert: Advert | None = None) -> None:
        self.now = now
        for row in TABLE:
            if (row.state, row.event) == (self.state, event) and CONDITIONS[row.when](self, advert):
                self._carry_out(row, advert)
                return

    def _carry_out(self, row: Row, advert: Advert | None) -> None:
        for action in row.do:
            ACTIONS[action](self, advert)
        if row.then is not None:
            if row.reason:
                self.changes.append((shown(self.state), shown(row.then), row.reason))
            self.state = row.then

    # ---- quantities ----

    def skew_time(self, priority: int) -> int:
        """RFC 9568 §6.1; RFC 3768 §6.1 for version 2."""
        scale = self.active_adver_interval if self.settings.version == 3 else SECOND
        return (256 - priority) * scale // 256

    def active_down_interval(self) -> int:
        """RFC 9568 §6.1."""
        return 3 * self.active_adver_interval + self.skew_time(self.priority)


T = TypeVar("T")


def the(value: T | None) -> T:
    """Return the advert of the event, or a timer that runs; the table asks in no other case."""
    assert value is not None
    return value


def shown(state: str) -> str:
    """Return the state as the outside sees it."""
    return "INIT" if state == "WAIT" else state


# ---- conditions ----

Condition = Callable[[Router, Advert | None], bool]


def _stood_still(router: Router, _: object) -> bool:
    late = router.now - the(router.active_down_timer)
    return not router.granted and 2 * late > router.active_adver_interval


def _no_preemption(router: Router, _: object) -> bool:
    """RFC 9568 §6.1: the owner of the addresses always preempts."""
    return not router.settings.preempt and router.priority != OWNER


def _preemption_delayed(router: Router, _: object) -> bool:
    if router.settings.preempt_delay == 0:
        return False
    return router.preempt_at is None or router.now < router.preempt_at


CONDITIONS: dict[str, Condition] = {
    "always": lambda router, advert: True,
    "no fault": lambda router, advert: router.faults == 0,
    "any fault": lambda router, advert: router.faults != 0,
    "only pending": lambda router, advert: router.faults == PENDING,
    "no fault, owner": lambda router, advert: (
        router.faults == 0 and router.priority == OWNER and router.settings.owner_at_start
    ),
    "stood still": _stood_still,
    "active router resigned": lambda router, advert: router.resigned,
    "adverts were discarded": lambda router, advert: router.discarded,
    "priority 0": lambda router, advert: the(advert).priority == 0,
    "not below ours": lambda router, advert: the(advert).priority >= router.priority,
    "above ours": lambda router, advert: the(advert).priority > router.priority,
    "no preemption": _no_preemption,
    "preemption delayed": _preemption_delayed,
    "equal, higher address": lambda router, advert: (
        the(advert).priority == router.priority and the(advert).source > router.settings.source
    ),
    "equal, own address": lambda router, advert: (
        the(advert).priority == router.priority and the(advert).source == router.settings.source
    ),
}


# ---- actions ----

Action = Callable[[Router, Advert | None], None]


def _take_own_interval(router: Router, _: object) -> None:
    router.active_adver_interval = router.settings.interval


def _learn_interval(router: Router, advert: Advert | None) -> None:
    if router.settings.version == 3:
        router.active_adver_interval = the(advert).interval


def _forget_active_router(router: Router, _: object) -> None:
    router.active_router = 0


def _remember_active_router(router: Router, advert: Advert | None) -> None:
    router.active_router = the(advert).source


def _stop_preemption_delay(router: Router, _: object) -> None:
    router.preempt_at = None


def _start_preemption_delay(router: Router, _: object) -> None:
    if router.preempt_at is None:
        router.preempt_at = router.now + router.settings.preempt_delay


def _send(router: Router, _: object) -> None:
    router.acts.append(("SEND", router.priority))


def _send_zero(router: Router, _: object) -> None:
    router.acts.append(("SEND", 0))


def _install(router: Router, _: object) -> None:
    router.acts.append(("INSTALL", 0))


def _withdraw(router: Router, _: object) -> None:
    router.acts.append(("WITHDRAW", 0))


def _announce(router: Router, rounds: int) -> None:
    if rounds > 0:
        router.acts.append(("ANNOUNCE", rounds))


def _start_adver_timer(router: Router, _: object) -> None:
    router.active_down_timer = None
    router.adver_timer = router.now + router.settings.interval


def _restart_adver_timer(router: Router, _: object) -> None:
    """Keep the rhythm: the next multiple of the interval that lies ahead."""
    due = the(router.adver_timer)
    while due <= router.now:
        due += router.settings.interval
    router.adver_timer = due


def _watch_until(router: Router, due: int, *, resigned: bool) -> None:
    router.active_down_timer = due
    router.resigned = resigned
    router.discarded = False
    router.granted = False


def _start_active_down_timer(router: Router, _: object) -> None:
    _watch_until(router, router.now + router.active_down_interval(), resigned=False)


def _set_to_skew_time(router: Router, _: object) -> None:
    _watch_until(router, router.now + router.skew_time(router.priority), resigned=True)


def _move_active_down_timer(router: Router, _: object) -> None:
    """By the change of Skew_Time; a timer that has not expired is not moved into the past."""
    change = router.skew_time(router.priority) - router.skew_time(router.priority_before)
    due = the(router.active_down_timer)
    if due >= router.now:
        change = max(change, router.now - due)
    router.active_down_timer = due + change


def _discard(router: Router, _: object) -> None:
    """Nothing, except that we know why Active_Down_Timer will expire."""
    router.discarded = True


def _grant_one_interval(router: Router, _: object) -> None:
    router.active_down_timer = router.now + router.active_adver_interval
    router.granted = True


def _stop_all_timers(router: Router, _: object) -> None:
    router.active_down_timer = router.adver_timer = router.burst = router.refresh = None


def _schedule_announcements(router: Router, _: object) -> None:
    settings = router.settings
    if settings.garp_delay > 0:
        router.burst = (router.now + settings.garp_delay, settings.garp_repeat)
    if settings.garp_refresh > 0:
        router.refresh = router.now + settings.garp_delay + settings.garp_refresh


def _announce_due(router: Router, _: object) -> None:
    """What is due at once is one announcement, of the larger number of rounds."""
    rounds = 0
    if router.burst is not None and router.burst[0] <= router.now:
        rounds = router.burst[1]
        router.burst = None
    if router.refresh is not None and router.refresh <= router.now:
        rounds = max(rounds, router.settings.garp_refresh_repeat)
        router.refresh = router.now + router.settings.garp_refresh
    _announce(router, rounds)


def _answer(router: Router, _: object) -> None:
    if router.now < router.answer_not_before:
        return
    window = min(100 * MILLISECOND, router.settings.interval // 2)
    router.answer_not_before = router.now + window
    _send(router, None)
    router.adver_timer = router.now + router.settings.interval


def _announce_after_lower(router: Router, _: object) -> None:
    settings = router.settings
    if router.now < router.lower_burst_not_before or settings.garp_lower_repeat == 0:
        return
    router.lower_burst_not_before = router.now + max(settings.garp_lower_delay, SECOND)
    _announce(router, settings.garp_lower_repeat)
    if settings.garp_lower_delay > 0:
        router.burst = (router.now + settings.garp_lower_delay, settings.garp_lower_repeat)


ACTIONS: dict[str, Action] = {
    "take our own interval": _take_own_interval,
    "learn the interval": _learn_interval,
    "forget the active router": _forget_active_router,
    "remember the active router": _remember_active_router,
    "stop the preemption delay": _stop_preemption_delay,
    "start the preemption delay": _start_preemption_delay,
    "send an advert": _send,
    "send an advert of priority 0": _send_zero,
    "install the addresses": _install,
    "withdraw the addresses": _withdraw,
    "announce the addresses": lambda router, _: _announce(router, router.settings.garp_repeat),
    "announce what is due": _announce_due,
    "announce after a lower advert": _announce_after_lower,
    "schedule further announcements": _schedule_announcements,
    "start Adver_Timer": _start_adver_timer,
    "restart Adver_Timer from its due time": _restart_adver_timer,
    "start Active_Down_Timer": _start_active_down_timer,
    "set Active_Down_Timer to Skew_Time": _set_to_skew_time,
    "move Active_Down_Timer": _move_active_down_timer,
    "discard": _discard,
    "grant one interval": _grant_one_interval,
    "stop all timers": _stop_all_timers,
    "answer": _answer,
}
