"""A slow and obvious virtual router, written from RFC 9568 §6 and not from the core.

It is a transition table (rfc9568_rows.py) whose conditions and actions are phrases
(rfc9568_words.py); here are the quantities, the timers, and how an event finds its row. Routers of
one sync group share a `Group`; a router without one is a group of its own. Time is integer ns.

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
- Two owners: the one with the higher address gives in after a while, and goes on with 254.
- Sync groups: active together or not at all; a fault of one member holds all of them. One that
  yielded and then hears nobody waits once more, as long as three bits of its address say.
- Three adverts in a row that could not be sent are a fault, which is tried again after a while;
  then one is enough until something has been sent.
- A host that was suspended, or stood still for longer than its backup waits, starts as a backup.
- When a timer fires, the adverts of other routers that are nearly due go out with it.
- Priority 0 makes Active_Down_Timer shorter and never longer.
- AH sequence numbers must not wrap: near their end the router steps down and starts them again.
"""

from dataclasses import dataclass

from rfc9568_rows import TABLE, Row
from rfc9568_words import ACTIONS, CONDITIONS, Rival

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
OWNER = 255
PENDING = 8
"""The fault that says: a tracker has not reported yet."""
GROUP = 32
"""What the members of a group see of the faults of another one."""
WAITING = ("INIT", "WAIT", "FAULT")
SEND = 64
"""The fault that says: adverts cannot be sent."""


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
    down_timer_adverts: int = 3
    timer_expired_backup: int = 0
    owner_ignore_adverts: bool = False
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    ah: bool = False


class Group:
    """The members of a sync group, in order."""

    def __init__(self) -> None:
        self.members: list[Router] = []
        self.active_since: int | None = None
        self.meetings = 0
        self.yielded_at: int | None = None
        self.defers_for = 0
        self.defers_until: int | None = None

    def others(self, router: "Router") -> list["Router"]:
        """Return the other members that count: not those that were shut down."""
        return [m for m in self.members if m is not router and m.life != "stopped"]

    def owners(self) -> bool:
        """Return whether every member is an owner that takes over at once."""
        return all(
            m.priority == OWNER and m.settings.owner_at_start
            for m in self.members
            if m.life != "stopped"
        )

    def tell(self, event: str, members: list["Router"], now: int) -> None:
        """Give `event` to `members`, in order."""
        for member in members:
            member.event(event, now)


class Router:
    """One virtual router. Give it events; read `state`, the timers, and what it did: `acts`,
    `changes` and `notes`."""

    settings: Settings
    group: Group
    priority: int
    resigned: bool
    discarded: bool
    reduced: bool
    ah_sequence: int
    failed_in_a_row: int
    patience_with_sending: int

    def __init__(
        self, settings: Settings, priority: int, faults: int = 0, group: Group | None = None
    ) -> None:
        self.settings = settings
        self.priority = priority
        self.faults = faults
        self.group = group or Group()
        self.number = len(self.group.members)
        self.group.members.append(self)
        self.life = "new"
        self.state = "INIT"
        self.now = 0
        self.acts: list[tuple[str, int]] = []
        self.changes: list[tuple[str, str, str]] = []
        self.notes: list[tuple[str, int]] = []
        self.active_adver_interval = settings.interval
        self.active_router = self.active_priority = 0
        self.active_down_timer: int | None = None
        self.adver_timer: int | None = None
        self.burst: tuple[int, int] | None = None  # when, rounds
        self.refresh: int | None = None
        self.preempt_at: int | None = None
        self.resigned = False
        self.discarded = False
        self.granted = False
        self.wants_active = False
        self.wait_note_not_before = 0
        self.answer_not_before = 0
        self.lower_burst_not_before = 0
        self.priority_before = priority
        self.slept = 0
        self.rival: Rival | None = None
        self.reduced = False
        self.adverts_sent = 0
        self.failed_advert = 0
        self.error = 0
        self.failed_in_a_row = 0
        self.resigner: int | None = None
        self.resign_opens = 0
        self.send_fault = False
        self.retry: int | None = None
        self.patience_with_sending = 0
        self.ah_sequence = 0

    # ---- events ----

    def startup(self, now: int) -> None:
        if self.life == "started":
            return
        self.life = "started"
        self.event("startup", now)
        self.group.tell("faults", self.group.others(self), now)

    def shutdown(self, now: int) -> None:
        if self.life == "new":
            return
        self.life = "stopped"
        self.event("shutdown", now)

    def set_faults(self, faults: int, now: int) -> None:
        self.faults = faults
        self.faults_changed(now)

    def faults_changed(self, now: int) -> None:
        self.event("faults", now)
        self.group.tell("faults", self.group.others(self), now)

    def set_priority(self, priority: int, now: int) -> None:
        """While reduced, 255 says nothing new; anything else is the new priority."""
        if self.reduced and priority == OWNER:
            return
        self.reduced = False
        self.priority_before, self.priority = self.priority, priority
        self.event("priority", now)

    def advert(self, advert: Advert, now: int) -> None:
        self.event("advert", now, advert)

    def resume(self, slept: int, now: int) -> None:
        self.slept = slept
        self.event("resume", now)

    def advert_failed(self, now: int, error: int) -> None:
        """A copy of the last advert could not be sent, and the first to say so counts."""
        if self.state != "ACTIVE" or self.failed_advert == self.adverts_sent:
            return
        self.failed_advert = self.adverts_sent
        self.failed_in_a_row += 1
        self.error = error
        self.event("advert failed", now)

    def advert_went_out(self) -> None:
        self.failed_in_a_row = self.patience_with_sending = 0

    def clear_send_fault(self, now: int) -> None:
        if self.send_fault:
            self.event("retry", now)

    # ---- timers ----

    def timers(self) -> dict[str, int]:
        """Return the running timers by the name of their event."""
        announcements = [
            at for at in (self.burst and self.burst[0], self.refresh) if at is not None
        ]
        timers = {
            "Active_Down_Timer": self.active_down_timer,
            "Adver_Timer": self.adver_timer,
            "announcement": min(announcements, default=None),
            "retry": self.retry,
        }
        return {name: at for name, at in timers.items() if at is not None}

    def advance(self, now: int) -> None:
        """Fire every timer that is due."""
        advance([self], now)

    # ---- the table ----

    def event(self, event: str, now: int, advert: Advert | None = None) -> None:
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
            self.wants_active = False
        if row.group:
            self.group.tell(row.group, self.group.others(self), self.now)
        if row.again:
            self.event(row.event, self.now, advert)

    # ---- quantities ----

    def skew_time(self, priority: int) -> int:
        """RFC 9568 §6.1; RFC 3768 §6.1 for version 2."""
        scale = self.active_adver_interval if self.settings.version == 3 else SECOND
        return (256 - priority) * scale // 256

    def active_down_interval(self) -> int:
        """RFC 9568 §6.1; keepalived's down_timer_adverts instead of 3."""
        adverts = self.settings.down_timer_adverts
        return adverts * self.active_adver_interval + self.skew_time(self.priority)

    def own_faults(self) -> int:
        """Return what the router itself suffers from."""
        return self.faults | (SEND if self.send_fault else 0)

    def held_back(self) -> int:
        """Return its own faults, and of the others that they have faults, or that they have not
        reported or not even started yet."""
        held = self.own_faults()
        for member in self.group.others(self):
            faults = self._waits_for_start() if member.life == "new" else member.own_faults()
            if faults:
                held |= PENDING if faults == PENDING else GROUP
        return held

    def _waits_for_start(self) -> int:
        """Who takes part already does not step aside for a member that is new."""
        return PENDING if self.state in WAITING else 0


def advance(routers: list[Router], now: int) -> None:
    """Fire every timer of `routers` that is due, in the order of their due times; then the next
    ones, as long as they are Adver_Timers that are nearly due."""
    fired = False
    while True:
        running = [
            (at, index, name)
            for index, router in enumerate(routers)
            for name, at in router.timers().items()
        ]
        if not running:
            return
        at, index, name = min(running, key=lambda timer: timer[:2])
        nearly = routers[index].settings.interval // 256 if name == "Adver_Timer" else 0
        if at > now + (nearly if fired else 0):
            return
        routers[index].event(name, now)
        fired = True


def shown(state: str) -> str:
    """Return the state as the outside sees it."""
    return "INIT" if state == "WAIT" else state
