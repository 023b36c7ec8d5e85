"""What the phrases of rfc9568_rows.py mean: each has its few lines here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rfc9568 import Advert, Router

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
OWNER = 255
REDUCED = 254
PENDING = 8
AH_RESERVE = 0x100
AH_END, AH_LAST = 0xFFFF_F000, 0xFFFF_FFFF
MINUTE = 60 * SECOND
RETRY_FIRST, RETRY_MOST = 10 * SECOND, 300 * SECOND

T = TypeVar("T")


@dataclass(frozen=True)
class Rival:
    """Another owner of the addresses: when it was heard first, and until when it counts."""

    since: int
    until: int
    source: int


def the(value: T | None) -> T:
    """Return the advert of the event, or a timer that runs; the table asks in no other case."""
    assert value is not None
    return value


# ---- conditions ----

Condition = Callable[["Router", "Advert | None"], bool]


def _stood_still(router: "Router", _: object) -> bool:
    late = router.now - the(router.active_down_timer)
    return not router.granted and 2 * late > router.active_adver_interval


def _no_preemption(router: "Router", _: object) -> bool:
    """RFC 9568 §6.1: the owner of the addresses always preempts."""
    return not router.settings.preempt and router.priority != OWNER


def _preemption_delayed(router: "Router", _: object) -> bool:
    if router.settings.preempt_delay == 0:
        return False
    return router.preempt_at is None or router.now < router.preempt_at


def _group_not_ready(router: "Router", _: object) -> bool:
    others = [m for m in router.group.others(router) if m.life == "started"]
    return not any(m.state == "ACTIVE" for m in others) and not all(m.wants_active for m in others)


def _group_defers(router: "Router", _: object) -> bool:
    """The group yielded, and heard nobody since: another one may have yielded to us."""
    group = router.group
    if group.yielded_at is None:
        return False
    if group.defers_until is not None:
        return router.now < group.defers_until
    return group.defers_for > 0 and (
        router.now - group.yielded_at <= 2 * router.active_down_interval()
    )


def _rival_is_gone(router: "Router", advert: "Advert | None") -> bool:
    """Of an owner that goes on with 254: nobody says 255 any more, or somebody else does."""
    if not router.reduced:
        return False
    return the(advert).priority != OWNER or the(advert).source != the(router.rival).source


def _above(router: "Router", advert: "Advert | None") -> bool:
    return the(advert).priority > router.priority


def _equal_higher(router: "Router", advert: "Advert | None") -> bool:
    equal = the(advert).priority == router.priority
    return equal and the(advert).source > router.settings.source


def _rival_owner(router: "Router", advert: "Advert | None") -> bool:
    """Asked after the rows about higher addresses."""
    return the(advert).priority == router.priority == OWNER


def _patience(router: "Router", advert: "Advert") -> int:
    """A rival has time to yield: two adverts of ours, and 1.2 of the longer interval."""
    return 2 * router.settings.interval + max(router.settings.interval, advert.interval) * 6 // 5


def _rival_owner_stays(router: "Router", advert: "Advert | None") -> bool:
    if not _rival_owner(router, advert) or router.rival is None:
        return False
    patience = _patience(router, the(advert))
    return router.rival.since + patience <= router.now <= router.rival.until


def _others_may_have_taken_over(router: "Router", _: object) -> bool:
    """timer_expired_backup is the highest priority of the other routers."""
    n = router.settings.timer_expired_backup
    if n == 0:
        return False
    silent = router.now - the(router.adver_timer) + router.settings.interval
    return silent > router.settings.down_timer_adverts * router.settings.interval + (
        router.skew_time(n)
    )


def _slept(router: "Router", _: object) -> bool:
    return router.slept > router.settings.interval


CONDITIONS: dict[str, Condition] = {
    "always": lambda router, advert: True,
    "no fault": lambda router, advert: router.held_back() == 0,
    "any fault": lambda router, advert: router.held_back() != 0,
    "own fault": lambda router, advert: router.own_faults() != 0,
    "only pending": lambda router, advert: router.held_back() == PENDING,
    "no fault, owners": lambda router, advert: router.held_back() == 0 and router.group.owners(),
    "stood still": _stood_still,
    "group not ready": _group_not_ready,
    "group defers": _group_defers,
    "reduced owner": lambda router, advert: router.reduced,
    "active router resigned": lambda router, advert: router.resigned,
    "adverts were discarded": lambda router, advert: router.discarded,
    "owner who ignores adverts": lambda router, advert: (
        router.settings.owner_ignore_adverts and router.priority == OWNER
    ),
    "the rival owner is gone": _rival_is_gone,
    "priority 0": lambda router, advert: the(advert).priority == 0,
    "not below ours": lambda router, advert: the(advert).priority >= router.priority,
    "no preemption": _no_preemption,
    "preemption delayed": _preemption_delayed,
    "slept an interval": _slept,
    "slept an interval, owners": lambda router, advert: (
        _slept(router, advert) and router.group.owners()
    ),
    "others may have taken over": _others_may_have_taken_over,
    "AH sequence ends": lambda router, advert: router.settings.ah and router.ah_sequence >= AH_END,
    "above ours": _above,
    "above ours, one more advert": lambda router, advert: (
        router.settings.higher_prio_send_advert and _above(router, advert)
    ),
    "equal, higher address": _equal_higher,
    "equal, higher address, one more advert": lambda router, advert: (
        router.settings.higher_prio_send_advert and _equal_higher(router, advert)
    ),
    "equal, own address": lambda router, advert: (
        the(advert).priority == router.priority and the(advert).source == router.settings.source
    ),
    "a rival owner stays": _rival_owner_stays,
    "a rival owner": _rival_owner,
    "a rival owner, no answers": lambda router, advert: (
        router.settings.lower_prio_no_advert and _rival_owner(router, advert)
    ),
    "no answers": lambda router, advert: router.settings.lower_prio_no_advert,
    "three times, or after a retry": lambda router, advert: (
        router.failed_in_a_row == 3 or router.patience_with_sending != 0
    ),
}


# ---- actions ----

Action = Callable[["Router", "Advert | None"], None]


def _take_own_interval(router: "Router", _: object) -> None:
    router.active_adver_interval = router.settings.interval


def _learn_interval(router: "Router", advert: "Advert | None") -> None:
    if router.settings.version == 3:
        router.active_adver_interval = the(advert).interval


def _forget_active_router(router: "Router", _: object) -> None:
    router.active_router = router.active_priority = 0


def _remember_active_router(router: "Router", advert: "Advert | None") -> None:
    router.active_router = the(advert).source
    router.active_priority = the(advert).priority


def _stop_preemption_delay(router: "Router", _: object) -> None:
    router.preempt_at = None


def _start_preemption_delay(router: "Router", _: object) -> None:
    if router.preempt_at is None:
        router.preempt_at = router.now + router.settings.preempt_delay


def _send(router: "Router", _: object, *, priority: int | None = None) -> None:
    router.acts.append(("SEND", router.priority if priority is None else priority))
    router.adverts_sent += 1
    router.ah_sequence = min(router.ah_sequence + router.settings.ah, AH_LAST)


def _send_zero(router: "Router", _: object) -> None:
    _send(router, None, priority=0)


def _install(router: "Router", _: object) -> None:
    router.acts.append(("INSTALL", 0))


def _withdraw(router: "Router", _: object) -> None:
    router.acts.append(("WITHDRAW", 0))


def _announce(router: "Router", rounds: int) -> None:
    if rounds > 0:
        router.acts.append(("ANNOUNCE", rounds))


def _start_adver_timer(router: "Router", _: object) -> None:
    router.active_down_timer = None
    router.adver_timer = router.now + router.settings.interval


def _restart_adver_timer(router: "Router", _: object) -> None:
    """Keep the rhythm: the next multiple of the interval that lies ahead."""
    due = the(router.adver_timer) + router.settings.interval
    while due <= router.now:
        due += router.settings.interval
    router.adver_timer = due


def _watch_until(router: "Router", due: int, *, resigned: bool) -> None:
    router.active_down_timer = due
    router.resigned = resigned
    router.discarded = False
    router.granted = False


def _start_active_down_timer(router: "Router", _: object) -> None:
    _watch_until(router, router.now + router.active_down_interval(), resigned=False)


def _watch_again(router: "Router", _: object) -> None:
    _start_active_down_timer(router, None)
    router.wants_active = False


def _wait_for_group(router: "Router", _: object) -> None:
    """The timer runs again; why it will expire stays true. It is told from the second time on."""
    if router.wants_active and router.now >= router.wait_note_not_before:
        router.wait_note_not_before = router.now + MINUTE
        others = [m for m in router.group.others(router) if m.life == "started"]
        first = next(m for m in others if not m.wants_active)
        router.notes.append(("GROUP_WAITS", first.number))
    router.active_down_timer = router.now + router.active_down_interval()
    router.granted = False
    router.wants_active = True


def digest(address: int) -> int:
    """Return FNV-1a of the four bytes of an address."""
    total = 2166136261
    for byte in address.to_bytes(4, "big"):
        total = (total ^ byte) * 16777619 & 0xFFFF_FFFF
    return total


def _group_may_defer(router: "Router", _: object) -> None:
    """Nodes whose members outrank each other crosswise yield to each other in one instant, and
    would for ever: their addresses say who lets others go first. Who meets the others again as
    soon as it is active looks at other bits."""
    group = router.group
    if len(group.members) == 1:
        return
    again = group.active_since is not None and router.now - group.active_since <= (
        router.settings.interval
    )
    group.meetings = group.meetings + 1 if again else 0
    halves = digest(group.members[0].settings.source) >> 3 * (group.meetings % 10) & 7
    group.defers_for = halves * router.settings.interval // 2
    group.yielded_at = router.now
    group.defers_until = None


def _found_better_router(router: "Router", _: object) -> None:
    """Not what was on its way while the other one yielded as well."""
    group = router.group
    if group.yielded_at is None:
        return
    if router.now - group.yielded_at > router.settings.interval // 2:
        group.yielded_at = None


def _let_others_go_first(router: "Router", _: object) -> None:
    """Once: every member waits until the same instant."""
    group = router.group
    if group.defers_until is None:
        group.defers_until = router.now + group.defers_for
    router.active_down_timer = group.defers_until
    router.wants_active = True


def _defer_no_more(router: "Router", _: object) -> None:
    router.group.yielded_at = router.group.defers_until = None


def _shorten_to_skew_time(router: "Router", advert: "Advert | None") -> None:
    """Never lengthen it: who resigns again and again would stay what it is. One that has expired
    while this host stood still does not run. One resignation of a router counts in an
    Active_Down_Interval: it may be forged, and the router alive."""
    resigner = the(advert).source
    if resigner == router.resigner and router.now < router.resign_opens:
        return
    router.resigner, router.resign_opens = resigner, router.now + router.active_down_interval()
    router.wants_active = False
    due = router.now + router.skew_time(router.priority)
    if the(router.active_down_timer) > router.now:
        due = min(due, the(router.active_down_timer))
    _watch_until(router, due, resigned=True)


def _move_active_down_timer(router: "Router", _: object) -> None:
    """By the change of Skew_Time; a timer that has not expired is not moved into the past."""
    change = router.skew_time(router.priority) - router.skew_time(router.priority_before)
    due = the(router.active_down_timer)
    if due >= router.now:
        change = max(change, router.now - due)
    router.active_down_timer = due + change


def _discard(router: "Router", _: object) -> None:
    """Nothing, except that we know why Active_Down_Timer will expire."""
    router.discarded = True


def _grant_one_interval(router: "Router", _: object) -> None:
    router.active_down_timer = router.now + router.active_adver_interval
    router.granted = True


def _stop_all_timers(router: "Router", _: object) -> None:
    router.active_down_timer = router.adver_timer = router.burst = router.refresh = None


def _schedule_announcements(router: "Router", _: object) -> None:
    settings = router.settings
    if settings.garp_delay > 0:
        router.burst = (router.now + settings.garp_delay, settings.garp_repeat)
    if settings.garp_refresh > 0:
        router.refresh = router.now + settings.garp_delay + settings.garp_refresh


def _announce_due(router: "Router", _: object) -> None:
    """What is due at once is one announcement, of the larger number of rounds."""
    rounds = 0
    if router.burst is not None and router.burst[0] <= router.now:
        rounds = router.burst[1]
        router.burst = None
    if router.refresh is not None and router.refresh <= router.now:
        rounds = max(rounds, router.settings.garp_refresh_repeat)
        router.refresh = router.now + router.settings.garp_refresh
    _announce(router, rounds)


def _answer(router: "Router", _: object) -> None:
    if router.now < router.answer_not_before:
        return
    window = min(100 * MILLISECOND, router.settings.interval // 2)
    router.answer_not_before = router.now + window
    _send(router, None)
    router.adver_timer = router.now + router.settings.interval


def _announce_after_lower(router: "Router", _: object) -> None:
    settings = router.settings
    if router.now < router.lower_burst_not_before or settings.garp_lower_repeat == 0:
        return
    router.lower_burst_not_before = router.now + max(settings.garp_lower_delay, SECOND)
    _announce(router, settings.garp_lower_repeat)
    if settings.garp_lower_delay > 0:
        router.burst = (router.now + settings.garp_lower_delay, settings.garp_lower_repeat)


def _change_priority(router: "Router", priority: int) -> None:
    router.priority_before, router.priority = router.priority, priority
    router.reduced = priority == REDUCED


def _restore_priority(router: "Router", _: object) -> None:
    if router.reduced:
        _change_priority(router, OWNER)
        router.rival = None


def _watch_rival(router: "Router", advert: "Advert | None") -> None:
    since = router.now
    if router.rival is not None and router.now <= router.rival.until:
        since = router.rival.since
    heard = the(advert)
    router.rival = Rival(since, router.now + _patience(router, heard), heard.source)


def _reduce_priority(router: "Router", advert: "Advert | None") -> None:
    _watch_rival(router, advert)
    router.notes.append(("OWNER_REDUCED", REDUCED))
    _change_priority(router, REDUCED)


def _forget_rival(router: "Router", _: object) -> None:
    router.rival = None


def _skip_sequence_numbers(router: "Router", _: object) -> None:
    """The active router may have used some that were lost on their way to us; and whoever becomes
    active has some time before the sequence ends."""
    if not router.settings.ah:
        return
    if router.ah_sequence >= AH_END - AH_RESERVE:
        router.ah_sequence = 0
    elif router.ah_sequence > 0:
        router.ah_sequence += router.settings.down_timer_adverts + 1


def _restart_sequence(router: "Router", _: object) -> None:
    router.notes.append(("SEQUENCE_END", router.ah_sequence))
    router.ah_sequence = 0


def _set_send_fault(router: "Router", _: object) -> None:
    last = router.patience_with_sending
    router.patience_with_sending = min(2 * last, RETRY_MOST) if last else RETRY_FIRST
    router.notes.append(("SEND_FAULT", router.error))
    router.failed_in_a_row = 0
    router.send_fault = True
    router.faults_changed(router.now)
    router.retry = router.now + router.patience_with_sending


def _clear_send_fault(router: "Router", _: object) -> None:
    router.send_fault = False
    router.retry = None
    router.faults_changed(router.now)


def _forget_failed_adverts(router: "Router", _: object) -> None:
    router.failed_in_a_row = 0
    router.group.active_since = router.now


def _forget_send_fault(router: "Router", _: object) -> None:
    router.send_fault = False
    router.retry = None


ACTIONS: dict[str, Action] = {
    "take our own interval": _take_own_interval,
    "learn the interval": _learn_interval,
    "forget the active router": _forget_active_router,
    "remember the active router": _remember_active_router,
    "stop the preemption delay": _stop_preemption_delay,
    "start the preemption delay": _start_preemption_delay,
    "send an advert": _send,
    "send priority 0": _send_zero,
    "install the addresses": _install,
    "withdraw the addresses": _withdraw,
    "announce the addresses": lambda router, _: _announce(router, router.settings.garp_repeat),
    "announce what is due": _announce_due,
    "announce after a lower advert": _announce_after_lower,
    "schedule further announcements": _schedule_announcements,
    "start Adver_Timer": _start_adver_timer,
    "restart Adver_Timer from its due time": _restart_adver_timer,
    "start Active_Down_Timer": _start_active_down_timer,
    "shorten Active_Down_Timer to Skew_Time": _shorten_to_skew_time,
    "move Active_Down_Timer": _move_active_down_timer,
    "discard": _discard,
    "grant one interval": _grant_one_interval,
    "stop all timers": _stop_all_timers,
    "answer": _answer,
    "watch again": _watch_again,
    "wait for the group": _wait_for_group,
    "the group may defer": _group_may_defer,
    "let others go first": _let_others_go_first,
    "the group has found its better router": _found_better_router,
    "the group defers no more": _defer_no_more,
    "forget the rival owner": _forget_rival,
    "skip AH sequence numbers": _skip_sequence_numbers,
    "restore the owner's priority": _restore_priority,
    "reduce our priority": _reduce_priority,
    "watch the rival owner": _watch_rival,
    "restart the AH sequence": _restart_sequence,
    "set the send fault": _set_send_fault,
    "clear the send fault": _clear_send_fault,
    "forget failed adverts": _forget_failed_adverts,
    "forget the send fault": _forget_send_fault,
}
