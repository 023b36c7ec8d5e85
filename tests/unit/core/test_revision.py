"""A reload in the core: what runs on keeps what it has become, what ends or begins anew resigns,
groups settle once."""

from dataclasses import replace
from typing import Any, Unpack

import pytest
from packets import GROUP, OWN, PASSWORD, PEER, STRANGER, VIP, Changes, advert, deliver, params

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.core.acts import Revision, RouterChange, RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import Fault, NoteKind, RejectReason, State


class Garp:
    """Gratuitous ARP with a refresh."""

    delay = 0
    repeat = 2
    refresh: int = seconds(30)
    refresh_repeat = 1
    lower_prio_delay = 0
    lower_prio_repeat = 1


class Fleet:
    """Routers with VRIDs from 1 on, all on port 0, and the configuration that they have."""

    def __init__(self, *routers: RouterParams, groups: tuple[tuple[int, ...], ...] = ()) -> None:
        self.core = Core(len(routers), 2, len(groups))
        self.groups = groups
        self.params = dict(enumerate(routers))
        self.revise(0)
        for vr in self.params:
            self.core.startup(vr, 0)
        self.core.drain_notes()

    def revise(
        self,
        now: int,
        *,
        fresh: tuple[int, ...] = (),
        old_groups: dict[int, int] | None = None,
        only: tuple[int, ...] | None = None,
    ) -> None:
        """Apply `params` and `groups`, of all routers or of `only` some."""
        have = range(self.core.capacity[0])
        gone = [vr for vr in have if vr not in self.params and self.used(vr)]
        changes = [RouterChange(slot=vr, params=None) for vr in gone]
        changes += [
            RouterChange(slot=vr, params=p, fresh=vr in fresh, port=p.port, source=p.source)
            for vr, p in self.params.items()
            if only is None or vr in only
        ]
        groups = {n: n for n in range(len(self.groups))} if old_groups is None else old_groups
        self.core.revise(
            Revision(changes=changes, groups=self.groups, old_groups=groups if now else {}), now
        )

    def used(self, vr: int) -> bool:
        try:
            self.core.state(vr)
        except IndexError:
            return False
        return True

    def change(self, vr: int, **changes: Unpack[Changes]) -> None:
        self.params[vr] = replace(self.params[vr], **changes)

    def whole(self, vr: int) -> dict[str, Any]:
        """Everything that can be known of a router."""
        core = self.core
        return {
            "status": core.status(vr),
            "counters": core.counters(vr),
            "marks": core.marks(vr),
            "sequence": core.sequence(vr),
            "next": core.deadline(),
        }

    def deadline(self, vr: int = 0) -> int:
        due = self.core.status(vr)["deadline"]
        assert isinstance(due, int)
        return due


def fleet(count: int = 1, **changes: Unpack[Changes]) -> Fleet:
    """Return routers in BACKUP."""
    routers = []
    for vrid in range(1, count + 1):
        each: Changes = {"vrid": vrid, **changes}
        routers.append(params(**each))
    return Fleet(*routers)


def active(count: int = 1, **changes: Unpack[Changes]) -> Fleet:
    """Return routers that are ACTIVE, with nothing left to ask for."""
    made = fleet(count, **changes)
    made.core.advance(seconds(4))
    made.core.drain()
    made.core.drain_notes()
    return made


def kinds(core: Core, vr: int | None = None) -> list[tuple[str, int]]:
    return [(act.kind, act.a) for act in core.drain() if vr is None or act.vr == vr]


def hear(core: Core, priority: int, now: int, interval: int = seconds(1)) -> None:
    core.hear(0, priority=priority, interval=interval, source=PEER, now=now, addresses=(VIP,))


def heard_backup(**changes: Unpack[Changes]) -> Fleet:
    """Return a backup that has heard an advert at 2 s."""
    made = fleet(**changes)
    hear(made.core, 200, seconds(2), changes.get("advert_interval", seconds(1)))
    made.core.drain_notes()
    return made


# ---- nothing changes ----


@pytest.mark.parametrize(
    "changes",
    [
        Changes(),
        Changes(version=3, garp=Garp()),
        Changes(auth_type=2, password=PASSWORD),
        Changes(peers=(PEER, STRANGER)),
        Changes(version=3, preempt_delay=seconds(60), priority=120),
    ],
)
@pytest.mark.parametrize("state", [State.BACKUP, State.ACTIVE, State.FAULT])
def test_an_equal_configuration_changes_nothing_at_all(changes: Changes, state: State) -> None:
    made = active(2, **changes) if state is State.ACTIVE else fleet(2, **changes)
    made.groups = ()
    if state is State.BACKUP:
        hear(made.core, 240, seconds(2))
    if state is State.FAULT:
        made.change(0, faults=int(Fault.LINK))
        made.core.set_faults(0, Fault.LINK, seconds(2))
    made.core.drain()
    made.core.drain_notes()
    before = [made.whole(vr) for vr in (0, 1)]
    made.revise(seconds(4) + 1)
    assert [made.whole(vr) for vr in (0, 1)] == before
    assert made.core.state(0) is state
    assert made.core.drain() == []
    assert made.core.drain_notes() == []


def test_an_equal_group_stays_as_it_is_while_it_waits() -> None:
    """Given a member whose timer ran out while another one still hears its active router, when an
    equal configuration is applied, then it waits on as long as it would have."""
    made = Fleet(params(vrid=1), params(vrid=2), groups=((0, 1),))
    hear(made.core, 200, seconds(2))
    made.core.advance(seconds(4))
    before = [made.whole(vr) for vr in (0, 1)]
    made.revise(seconds(4) + 1)
    assert [made.whole(vr) for vr in (0, 1)] == before


# ---- timers of a router that runs on ----


def test_state_counters_and_the_next_advert_survive_another_description() -> None:
    made = active()
    before = made.whole(0)
    made.change(0, addresses=(VIP, STRANGER), preempt=False)
    made.revise(seconds(4) + 5)
    assert made.whole(0) == before
    assert made.core.drain() == []


def test_a_shorter_interval_brings_the_next_advert_nearer() -> None:
    made = active(version=3, advert_interval=seconds(10))
    made.core.advance(seconds(50))
    made.change(0, advert_interval=seconds(1))
    made.revise(seconds(51))
    assert made.deadline() == seconds(52)


def test_a_longer_interval_lets_the_next_advert_go_as_promised() -> None:
    made = active(version=3)
    due = made.deadline()
    made.change(0, advert_interval=seconds(10))
    made.revise(seconds(4) + 1)
    assert made.deadline() == due
    made.core.advance(due)
    assert made.deadline() == due + seconds(10)


def test_a_late_advert_stays_late() -> None:
    made = active()
    due = made.deadline()
    made.change(0, advert_interval=seconds(2))
    made.revise(due + milliseconds(300))
    assert made.deadline() == due


def test_a_backup_that_has_learnt_an_interval_keeps_it() -> None:
    made = heard_backup(version=3)
    before = made.whole(0)
    made.change(0, advert_interval=seconds(5))
    made.revise(seconds(2) + 1)
    assert made.whole(0) == before


def test_a_backup_that_has_heard_nobody_counts_by_its_own_interval() -> None:
    made = fleet(version=3)
    before = made.deadline()
    made.change(0, advert_interval=seconds(5))
    made.revise(seconds(1))
    grown = made.core.status(0)["active_down_interval"] - before
    assert made.core.status(0)["active_adver_interval"] == seconds(5)
    assert made.deadline() == before + grown


def test_a_shorter_down_timer_counts_from_now_on_at_the_latest() -> None:
    made = heard_backup(version=3)
    made.change(0, down_timer_adverts=30)
    made.revise(seconds(2) + 1)
    long = made.deadline()
    assert long == seconds(2) + made.core.status(0)["active_down_interval"]
    made.change(0, down_timer_adverts=2)
    made.revise(seconds(20))
    assert made.deadline() == seconds(20) + made.core.status(0)["active_down_interval"] < long


def test_a_shorter_down_timer_never_makes_it_later() -> None:
    made = heard_backup(version=3)
    due = made.deadline()
    made.change(0, down_timer_adverts=2)
    made.revise(due - milliseconds(1))
    assert made.deadline() == due


@pytest.mark.parametrize(
    "changes",
    [
        Changes(advert_interval=seconds(2)),
        Changes(version=3),
        Changes(auth_type=1, password=PASSWORD),
        Changes(peers=(PEER, STRANGER)),
        Changes(allowed_peers=(PEER,)),
    ],
)
def test_who_hears_otherwise_listens_for_a_whole_interval(changes: Changes) -> None:
    """Given a backup of version 2 whose timer has nearly run out, when it accepts other adverts
    than before, then the silence until now says nothing."""
    made = heard_backup()
    now = made.deadline() - 1
    made.change(0, **changes)
    made.revise(now)
    assert made.deadline() == now + made.core.status(0)["active_down_interval"]


def test_another_password_is_another_thing_to_hear() -> None:
    made = heard_backup(auth_type=1, password=PASSWORD)
    now = made.deadline() - 1
    made.change(0, password=b"other")
    made.revise(now)
    assert made.deadline() == now + made.core.status(0)["active_down_interval"]
    heard = made.core.receive(
        advert(vrid=1, auth_type=1, password=b"other"),
        family=4,
        src=PEER,
        dst=GROUP,
        ttl=255,
        now=now,
    )
    assert heard is RejectReason.ACCEPTED


def test_another_priority_moves_the_timer_by_the_skew_and_is_told() -> None:
    made = heard_backup()
    twin = heard_backup()
    made.change(0, priority=200)
    made.revise(seconds(3))
    twin.core.set_priority(0, 200, seconds(3))
    assert made.whole(0) == twin.whole(0)
    assert [n.kind for n in made.core.drain_notes()] == [NoteKind.PRIORITY]


def test_a_resignation_that_is_counted_down_stays_one() -> None:
    """Given a backup that waits for its Skew_Time, when Active_Down_Interval changes, then that
    wait does not become an Active_Down_Interval."""
    made = heard_backup(version=3)
    hear(made.core, 0, seconds(3))
    due = made.deadline()
    made.change(0, down_timer_adverts=50)
    made.revise(seconds(3) + 1)
    assert made.deadline() == due


def test_the_preemption_delay_counts_from_when_it_began() -> None:
    made = fleet(version=3, priority=250, preempt_delay=seconds(60))
    hear(made.core, 100, seconds(1))
    made.change(0, preempt_delay=seconds(10))
    made.revise(seconds(2))
    for second in range(2, 12):
        hear(made.core, 100, seconds(second))
        made.core.advance(seconds(second))
    assert made.core.state(0) is State.BACKUP
    made.core.advance(made.deadline())
    assert made.core.state(0) is State.ACTIVE
    assert made.core.counters(0)["became_active"] == 1


def test_a_refresh_of_arp_begins_ends_and_changes_while_active() -> None:
    made = active(garp=Garp())
    off, rare = Garp(), Garp()
    off.refresh, rare.refresh = 0, seconds(300)

    def announced(until: int) -> list[int]:
        found = []
        while (due := made.core.deadline()) is not None and due <= until:
            made.core.advance(due)
            found += [act.at for act in made.core.drain() if act.kind == "ANNOUNCE"]
        return found

    start = seconds(4)
    assert announced(start + seconds(70)) == [start + seconds(30), start + seconds(60)]
    made.change(0, garp=off)
    made.revise(start + seconds(70))
    assert announced(start + seconds(300)) == []
    made.change(0, garp=rare)
    made.revise(start + seconds(300))
    assert announced(start + seconds(700)) == [start + seconds(600)]


# ---- what a router knows of others ----


def test_marks_and_sequences_survive_and_so_does_their_refusal() -> None:
    made = fleet(auth_type=2, password=PASSWORD)
    deliver(made.core, advert(vrid=1, auth_type=2, ah_sequence=9), seconds(1))
    made.change(0, priority=90)
    made.revise(seconds(1))
    assert made.core.marks(0) == [(PEER, 9, 0)]
    deliver(made.core, advert(vrid=1, auth_type=2, ah_sequence=9), seconds(1))
    assert made.core.counters(0)["rejected_auth_replay"] == 1


def test_marks_of_who_is_a_peer_no_longer_are_forgotten_the_others_are_found() -> None:
    peers = tuple(bytes((192, 0, 2, n)) for n in range(10, 30))
    made = fleet(auth_type=2, password=PASSWORD, peers=peers)
    made.core.restore_marks(0, [(peer, 7, 0) for peer in peers], (0, 0), seconds(1))
    made.change(0, peers=(peers[19], PEER, peers[18]))
    made.revise(seconds(1))
    assert sorted(made.core.marks(0)) == [(peers[18], 7, 0), (peers[19], 7, 0)]
    old = advert(vrid=1, src=peers[19], dst=OWN, auth_type=2, ah_sequence=7, unicast=True)
    made.core.receive(old, family=4, src=peers[19], dst=OWN, ttl=255, now=seconds(1))
    assert made.core.counters(0)["rejected_auth_replay"] == 1


# ---- beginning, ending, beginning anew ----


def test_a_router_that_goes_resigns_without_a_note_and_leaves_its_vrid_free() -> None:
    made = active(2)
    made.core.retire(0, seconds(5))
    assert kinds(made.core) == [("SEND", 0), ("WITHDRAW", 0)]
    del made.params[0]
    made.revise(seconds(5), only=())
    assert made.core.drain_notes() == []
    with pytest.raises(IndexError):
        made.core.state(0)
    made.params[0] = params(vrid=1)
    made.revise(seconds(5), only=(0,))
    assert made.core.state(0) is State.INIT
    assert made.core.counters(0)["adverts_sent"] == 0


def test_a_router_that_goes_unretired_resigns_all_the_same() -> None:
    made = active()
    made.params.clear()
    made.params[0] = params(vrid=9)
    made.revise(seconds(5), fresh=(0,))
    assert kinds(made.core) == [("SEND", 0), ("WITHDRAW", 0)]
    assert made.core.drain_notes() == []


def test_a_router_that_begins_anew_counts_on_and_waits_for_its_startup() -> None:
    made = active(auth_type=2, password=PASSWORD)
    sent = made.core.counters(0)["adverts_sent"]
    sequence = made.core.sequence(0)
    made.change(0, vrid=77)
    made.core.retire(0, seconds(5))
    made.core.drain()
    made.revise(seconds(5), fresh=(0,))
    assert made.core.state(0) is State.INIT
    assert made.core.deadline() is None
    assert made.core.counters(0)["adverts_sent"] == sent + 1
    assert made.core.sequence(0)[0] == sequence[0] + 1
    made.core.startup(0, seconds(5))
    made.core.advance(seconds(9))
    assert made.core.state(0) is State.ACTIVE


def test_acts_that_wait_while_a_router_begins_anew_are_counted_right() -> None:
    """Given an advert that waits to be sent, when its router begins anew, then the router can ask
    for as many as ever."""
    made = active()
    made.core.set_faults(0, Fault.LINK, seconds(5))
    made.revise(seconds(5), fresh=(0,))
    made.core.drain()
    made.core.startup(0, seconds(5))
    made.core.advance(seconds(9))
    assert kinds(made.core) == [("SEND", 100), ("INSTALL", 0), ("ANNOUNCE", 1)]


def test_two_routers_exchange_their_ports() -> None:
    made = Fleet(params(vrid=5, port=0), params(vrid=5, port=1, priority=50))
    made.change(0, port=1)
    made.change(1, port=0)
    made.revise(seconds(1))
    deliver(made.core, advert(vrid=5), seconds(1))
    assert made.core.counters(1)["adverts_received"] == 1
    assert made.core.counters(0)["adverts_received"] == 0


def test_the_source_of_a_router_that_runs_on_is_that_of_the_change() -> None:
    made = active()
    made.change(0, source=bytes((192, 0, 2, 0)))
    made.revise(seconds(4) + 1)
    hear(made.core, 100, seconds(4) + 2)  # PEER is above now
    assert made.core.state(0) is State.BACKUP


# ---- what cannot be ----


ENDS = RouterChange(slot=0, params=None)


@pytest.mark.parametrize(
    ("revision", "reason"),
    [
        (Revision(changes=[RouterChange(slot=7, params=None)]), "router 7 does not exist"),
        (Revision(changes=[RouterChange(slot=2, params=None)]), "router 2 does not exist"),
        (Revision(changes=[ENDS, ENDS]), "router 0 .*twice"),
        (Revision(changes=[RouterChange(slot=0, params=params(vrid=9))]), "another VRID"),
        (Revision(changes=[RouterChange(slot=2, params=params(vrid=9), port=2)]), "no port 2"),
        (
            Revision(changes=[RouterChange(slot=2, params=params(vrid=1), port=0)]),
            "router 2: .*taken",
        ),
        (
            Revision(
                changes=[
                    RouterChange(slot=0, params=params(vrid=9), fresh=True, port=1),
                    RouterChange(slot=2, params=params(vrid=9), port=1),
                ]
            ),
            "router 2: .*taken",
        ),
        (Revision(groups=((0,), (1,))), "room for 1 sync groups"),
        (Revision(groups=((0, 0),)), "router 0 cannot be"),
        (Revision(groups=((2,),)), "2 that does not exist"),
        (Revision(groups=((0,),), old_groups={0: 4}), "no sync group 4"),
        (
            Revision(changes=[ENDS], groups=((0, 1),)),
            "router 0 cannot",
        ),
    ],
)
def test_what_cannot_be_changes_nothing(revision: Revision, reason: str) -> None:
    made = active(2)
    made.core.grow(3, 2, 1)
    before = [made.whole(vr) for vr in (0, 1)]
    with pytest.raises(ValueError, match=reason):
        made.core.revise(revision, seconds(5))
    assert [made.whole(vr) for vr in (0, 1)] == before
    assert made.core.drain() == []


def test_unicast_routers_of_other_peers_share_a_vrid_after_a_reload() -> None:
    made = Fleet(params(vrid=5, peers=(PEER,)), params(vrid=6, peers=(STRANGER,)))
    made.params[1] = params(vrid=5, peers=(STRANGER,))
    made.revise(seconds(1), fresh=(1,))
    made.change(0, peers=(PEER, STRANGER))
    with pytest.raises(ValueError, match="taken"):
        made.revise(seconds(1), only=(0,))


# ---- growing ----


def test_a_core_grows_with_everything_that_is_in_it() -> None:
    """Given routers with deadlines, waiting acts and notes, when the core grows, then all goes on
    as in one that does not."""
    made, twin = fleet(3, version=3), fleet(3, version=3)
    for each in (made, twin):
        hear(each.core, 200, seconds(1))
        each.core.advance(seconds(4))
        deliver(each.core, advert(version=3, vrid=99), seconds(4))
    made.core.grow(200, 9, 5)
    assert made.core.capacity == (200, 9, 5)
    assert made.core.drain() == twin.core.drain()
    assert made.core.drain_notes() == twin.core.drain_notes()
    assert made.core.port_rejects() == twin.core.port_rejects() == {RejectReason.VRID: 1}
    for second in range(5, 9):
        for each in (made, twin):
            deliver(each.core, advert(version=3, vrid=2, priority=50), seconds(second))
            each.core.advance(seconds(second))
        assert [made.whole(vr) for vr in range(3)] == [twin.whole(vr) for vr in range(3)]
    assert made.core.drain() == twin.core.drain()
    for vrid in range(10, 200):
        made.core.add(params(vrid=vrid))


def test_growing_to_less_changes_nothing() -> None:
    made = fleet(2)
    made.core.grow(1, 1, 0)
    assert made.core.capacity == (2, 2, 0)


# ---- sync groups ----


def group(*members: RouterParams) -> Fleet:
    """Return an ACTIVE group of `members` and nothing left to ask for."""
    made = Fleet(*members, groups=(tuple(range(len(members))),))
    made.core.advance(seconds(4))
    made.core.drain()
    made.core.drain_notes()
    return made


def states(made: Fleet) -> list[State]:
    return [made.core.state(vr) for vr in made.params]


def test_a_faulty_member_that_goes_frees_the_others() -> None:
    made = group(params(vrid=1), params(vrid=2))
    made.core.set_faults(1, Fault.LINK, seconds(5))
    assert states(made) == [State.FAULT] * 2
    del made.params[1]
    made.groups = ((0,),)
    made.revise(seconds(6), only=())
    assert states(made) == [State.BACKUP]


def test_a_faulty_router_that_joins_holds_all_back() -> None:
    made = Fleet(params(vrid=1), params(vrid=2), groups=((0,),))
    made.core.set_faults(1, Fault.LINK, seconds(1))
    made.core.advance(seconds(4))
    made.core.drain()
    made.change(1, faults=int(Fault.LINK))
    made.groups = ((0, 1),)
    made.revise(seconds(5))
    assert states(made) == [State.FAULT] * 2
    assert kinds(made.core, 0) == [("SEND", 0), ("WITHDRAW", 0)]


def test_a_new_member_joins_an_active_group_as_a_backup_and_follows() -> None:
    made = group(params(vrid=1), params(vrid=2))
    made.core.grow(3, 2, 1)
    made.params[2] = params(vrid=3)
    made.groups = ((0, 1, 2),)
    made.revise(seconds(5))
    assert states(made) == [State.ACTIVE, State.ACTIVE, State.INIT]
    made.core.startup(2, seconds(5))
    assert states(made) == [State.ACTIVE, State.ACTIVE, State.BACKUP]
    made.core.advance(seconds(9))
    assert states(made) == [State.ACTIVE] * 3


def test_who_waited_for_a_member_that_left_takes_over_at_once() -> None:
    made = Fleet(params(vrid=1), params(vrid=2), groups=((0, 1),))
    hear(made.core, 200, seconds(3))
    made.core.advance(seconds(4))
    assert states(made) == [State.BACKUP] * 2
    made.groups = ((0,),)
    made.revise(seconds(5))
    made.core.advance(seconds(5))
    assert states(made) == [State.BACKUP, State.ACTIVE]


def test_members_that_are_parted_go_their_own_ways() -> None:
    made = group(params(vrid=1), params(vrid=2))
    made.groups = ()
    made.revise(seconds(5))
    hear(made.core, 200, seconds(5))
    assert states(made) == [State.BACKUP, State.ACTIVE]


def test_a_group_under_another_number_remembers_that_it_has_yielded() -> None:
    """Given a group that yielded and would let another node go first, when a group is put before
    it, then it still does, for as long."""

    def yielded() -> Fleet:
        made = Fleet(
            *(params(vrid=n, source=bytes((192, 0, 2, 9))) for n in (1, 2)), groups=((0, 1),)
        )
        made.core.grow(2, 2, 2)
        made.core.advance(seconds(4))
        hear(made.core, 200, seconds(5))
        return made

    made, twin = yielded(), yielded()
    made.groups = ((), (0, 1))
    made.revise(seconds(6), old_groups={1: 0})
    forgetful = yielded()
    forgetful.revise(seconds(6), old_groups={})
    for each in (made, twin, forgetful):
        each.core.advance(seconds(9))
    assert states(made) == states(twin) == [State.BACKUP] * 2
    assert made.deadline() == twin.deadline()
    assert states(forgetful) == [State.ACTIVE] * 2
