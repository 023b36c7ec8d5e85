"""The plain model of a reload (docs/adr/0030): what becomes of the routers of rfc9568.py when they
are configured anew. `rfc9568_words.py` has what is used here of the timers."""

from dataclasses import dataclass, field

from rfc9568 import Group, Router, Settings
from rfc9568_words import ACTIONS, the


@dataclass(frozen=True)
class Reload:
    """What becomes of some routers, by their number: what they are like afterwards, None for those
    that end. `anew`: these begin anew. `groups`: all groups; `old`: which one was before."""

    members: dict[int, tuple[Settings, int, int] | None]
    anew: frozenset[int] = frozenset()
    groups: tuple[tuple[int, ...], ...] = ()
    old: dict[int, int] = field(default_factory=dict)


def retire(router: Router) -> None:
    """Resign, and say nothing about it."""
    if router.life != "started":
        return
    router.life = "stopped"
    if router.state == "ACTIVE":
        for action in ("send priority 0", "withdraw the addresses"):
            ACTIONS[action](router, None)
    ACTIONS["stop all timers"](router, None)
    ACTIONS["forget the send fault"](router, None)
    router.state = "INIT"
    router.wants_active = False


def apply(routers: list[Router], groups: list[Group], reload: Reload, now: int) -> list[Group]:
    """Carry out `reload`, after those that end or begin anew have retired; return the groups."""
    for router in routers:
        router.now = now
    waited = [router for router in routers if is_held_up(router)]
    for number, member in reload.members.items():
        if member is None:
            routers[number] = Router(routers[number].settings, 1)
            routers[number].life = "gone"
        elif number in reload.anew or routers[number].life == "gone":
            begun = Router(*member)
            begun.number = number
            begun.ah_sequence = routers[number].ah_sequence
            begun.now = now
            routers[number] = begun
        else:
            run_on(routers[number], *member, now)
    after = regroup(routers, groups, reload)
    for router in routers:
        if router.life != "gone" and router.group.members[0] is router:
            router.faults_changed(now)
    for router in routers:
        if router in waited and router.wants_active and not is_held_up(router):
            router.active_down_timer = now
    return after


def run_on(router: Router, settings: Settings, priority: int, faults: int, now: int) -> None:
    old = router.settings
    router.faults = faults
    router.set_priority(priority, now)
    before = patience(router)
    if router.preempt_at is not None:
        router.preempt_at += settings.preempt_delay - old.preempt_delay
    if router.state == "ACTIVE" and settings.garp_refresh != old.garp_refresh:
        router.refresh = now + settings.garp_refresh if settings.garp_refresh else None
    learnt = router.state == "BACKUP" and old.version == 3 and router.active_priority != 0
    if settings.version != old.version or (settings.interval != old.interval and not learnt):
        router.active_adver_interval = settings.interval
    router.settings = settings
    if router.state == "ACTIVE":
        router.adver_timer = min(the(router.adver_timer), now + settings.interval)
    elif router.state == "BACKUP":
        move_timer(router, before, listens_anew=accepts(old) != accepts(settings))


def accepts(settings: Settings) -> tuple[object, ...]:
    """Return what decides which adverts are heard: version 2 insists on the interval."""
    return settings.version, settings.ah, settings.interval if settings.version == 2 else None


def patience(router: Router) -> int:
    """Return for how long the running Active_Down_Timer was started."""
    if router.resigned:
        return router.skew_time(router.priority)
    return router.active_adver_interval if router.granted else router.active_down_interval()


def move_timer(router: Router, before: int, *, listens_anew: bool) -> None:
    """A longer timer ends later by as much, a shorter one within its new length from now on."""
    longer = patience(router) - before
    if listens_anew:
        ACTIONS["watch again"](router, None)
    elif longer > 0:
        router.active_down_timer = the(router.active_down_timer) + longer
    elif longer < 0:
        latest = router.now + patience(router)
        router.active_down_timer = min(the(router.active_down_timer), latest)


def regroup(routers: list[Router], groups: list[Group], reload: Reload) -> list[Group]:
    after = []
    for number, members in enumerate(reload.groups):
        group = Group()
        if number in reload.old:
            old = groups[reload.old[number]]
            group.active_since, group.meetings = old.active_since, old.meetings
            group.yielded_at, group.defers_for = old.yielded_at, old.defers_for
            group.defers_until = old.defers_until
        group.members = [routers[member] for member in members]
        after.append(group)
    for router in routers:
        router.group = next((g for g in after if router in g.members), Group())
        router.group.members = router.group.members or [router]
    return after


def is_held_up(router: Router) -> bool:
    """Return whether its timer has run out, and other members are in its way."""
    others = [m for m in router.group.others(router) if m.life == "started"]
    waits = any(not m.wants_active for m in others)
    return router.wants_active and waits and not any(m.state == "ACTIVE" for m in others)
