"""A packet that fails any check moves one counter and nothing else."""

from itertools import pairwise
from typing import Any

import pytest
from packets import (
    AH_ROUTER,
    BAD,
    PASS_ROUTER,
    PEER,
    PLAIN_ROUTER,
    WITH_AH,
    Bad,
    advert,
    deliver,
    params,
)

from fastvrrp.clock import seconds
from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import Fault, NoteKind, RejectReason, State

# What these IPv4 packets do not decide: it needs a state, a history or IPv6, and has its own tests.
BY_OTHER_MEANS = {
    RejectReason.ACCEPTED,
    RejectReason.INACTIVE,
    RejectReason.AUTH_REPLAY,
    RejectReason.HMAC_REPLAY,
    RejectReason.OWNER,
    RejectReason.FIRST_ADDRESS,
}


def router(state: State, receiver: RouterParams = PLAIN_ROUTER) -> tuple[Core, int]:
    """Return a core whose router 0 is `receiver` in `state`, and the instant."""
    core = Core(1)
    core.add(receiver)
    core.startup(0, 0)
    if state is State.ACTIVE:
        core.advance(seconds(4))
    assert core.state(0) is state
    core.drain()
    core.drain_notes()
    return core, seconds(1) if state is State.BACKUP else seconds(4)


def visible(core: Core) -> dict[str, Any]:
    """Return all that a packet could move; conditions are for people and move nothing."""
    return core.status(0) | {"next": core.deadline(), "conditions": None}


@pytest.mark.parametrize("state", [State.BACKUP, State.ACTIVE])
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.reason.key)
def test_rejected_packet_moves_a_counter_and_nothing_else(bad: Bad, state: State) -> None:
    core, now = router(state, bad.receiver)
    before = visible(core)
    counters = core.counters(0) | {r.key: n for r, n in core.port_rejects().items()}
    for _ in range(3):
        assert deliver(core, bad.packet(), now) is bad.reason
    assert visible(core) == before
    assert core.drain() == []
    after = core.counters(0) | {r.key: n for r, n in core.port_rejects().items()}
    moved = {key: after[key] - counters.get(key, 0) for key in after}
    changed = {key: n for key, n in moved.items() if n}
    assert list(changed.values()) == [3]
    assert next(iter(changed)).removeprefix("rejected_") == bad.reason.key


def test_every_reason_is_covered() -> None:
    assert {bad.reason for bad in BAD} | BY_OTHER_MEANS == set(RejectReason)


@pytest.mark.parametrize("state", [State.BACKUP, State.ACTIVE])
def test_replayed_ah_advert_changes_nothing(state: State) -> None:
    """Given an accepted AH advert of lower rank, when it is sent again, then it counts as a
    replay."""
    core, now = router(state, AH_ROUTER)
    packet = advert(priority=1, ah_sequence=7, **WITH_AH)
    deliver(core, packet, now)
    core.drain()
    before = visible(core)
    for again in (packet, advert(priority=1, ah_sequence=6, **WITH_AH)):
        deliver(core, again, now + 1)
    assert visible(core) == before
    assert core.drain() == []
    assert core.counters(0)["rejected_auth_replay"] == 2
    assert core.counters(0)["adverts_received"] == 1


def test_ah_sender_may_start_again_after_a_silence() -> None:
    """Given an AH sender, when it was silent for longer than the Active_Down_Interval, then a
    lower sequence is a restart and no replay."""
    core, now = router(State.BACKUP, AH_ROUTER)
    deliver(core, advert(ah_sequence=1000, **WITH_AH), now)
    down = core.status(0)["active_down_interval"]
    deliver(core, advert(ah_sequence=1, **WITH_AH), now + down)
    assert core.counters(0)["rejected_auth_replay"] == 1
    deliver(core, advert(ah_sequence=2, **WITH_AH), now + down + 1)
    assert core.counters(0)["rejected_auth_replay"] == 1
    assert core.counters(0)["adverts_received"] == 2


def test_ah_senders_have_a_mark_each() -> None:
    """Given nine AH senders with different counters, when they send in turn, then none is refused
    for another's counter."""
    core, now = router(State.BACKUP, AH_ROUTER)
    for turn in range(3):
        for sender in range(8):
            source = bytes((192, 0, 2, 10 + sender))
            sequence = 1000 * (8 - sender) + turn
            deliver(core, advert(ah_sequence=sequence, src=source, **WITH_AH), now + turn)
    assert core.counters(0)["rejected_auth_replay"] == 0
    assert core.counters(0)["adverts_received"] == 24


@pytest.mark.parametrize("faults", [Fault.LINK, Fault.PENDING])
def test_router_that_takes_no_part_counts_adverts_and_ignores_them(faults: Fault) -> None:
    core = Core(1)
    core.add(params(faults=int(faults)))
    core.startup(0, 0)
    core.drain_notes()
    before = visible(core)
    assert deliver(core, advert(), seconds(1)) is RejectReason.ACCEPTED
    assert visible(core) == before
    assert core.counters(0)["rejected_inactive"] == 1
    assert core.counters(0)["adverts_received"] == 0
    assert core.drain_notes() == []


def test_flood_of_bad_packets_does_not_move_the_advert_timer() -> None:
    """Given an active router, when 10 000 packets a second fail a check, then its adverts keep
    their rhythm to the nanosecond."""
    core, now = router(State.ACTIVE)
    sent = []
    packets = [bad.packet() for bad in BAD if bad.receiver == PLAIN_ROUTER]
    for i in range(30_000):
        now += 100_000
        deliver(core, packets[i % len(packets)], now)
        while (due := core.deadline()) is not None and due <= now:
            core.advance(due)
            sent += [act.at for act in core.drain() if act.kind == "SEND"]
    assert len(sent) == 3
    assert {b - a for a, b in pairwise(sent)} == {seconds(1)}


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.reason.key)
def test_flood_of_bad_packets_is_told_once_in_a_minute(bad: Bad) -> None:
    """Given 10 000 packets that fail one check, then there is one note; a minute later there is
    one more, and it says how many were kept back."""
    core, now = router(State.BACKUP, bad.receiver)
    packet = bad.packet()
    for i in range(10_000):
        deliver(core, packet, now + i)
    silent = core.port_rejects().get(bad.reason) or bad.reason is RejectReason.OWN_SOURCE
    notes = [n for n in core.drain_notes() if n.kind is NoteKind.REJECT]
    assert [(n.a, n.b) for n in notes] == ([] if silent else [(bad.reason, 0)])
    deliver(core, packet, now + seconds(60))
    notes = [n for n in core.drain_notes() if n.kind is NoteKind.REJECT]
    assert [(n.a, n.b) for n in notes] == ([] if silent else [(bad.reason, 9_999)])
    assert core.lost_notes == 0


def test_active_router_tells_once_that_it_refuses_a_rival() -> None:
    """Given an active router that refuses another's adverts for their password, then it says so
    once."""
    core, now = router(State.ACTIVE, PASS_ROUTER)
    for i in range(1000):
        deliver(core, advert(auth_type=1, password=b"wrong"), now + i)
    rivals = [n for n in core.drain_notes() if n.kind is NoteKind.RIVAL]
    assert [(n.a, n.b, n.source) for n in rivals] == [(RejectReason.AUTH_PASS, 200, PEER)]


def test_ipv6_packet_without_a_hop_limit_is_refused() -> None:
    """Given a kernel that does not tell the hop limit, then the packet is not believed (RFC 9568
    §7.1)."""
    own, peer = bytes(15) + b"\5", bytes(15) + b"\1"
    group = bytes.fromhex("ff02") + bytes(13) + b"\x12"
    core = Core(1)
    core.add(params(version=3, family=6, source=own, addresses=(peer,)))
    core.startup(0, 0)
    packet = advert(family=6, version=3, addresses=(peer,), src=peer, dst=group)
    for ttl, verdict in ((-1, "TTL"), (254, "TTL"), (255, "ACCEPTED")):
        got = core.receive(packet, family=6, src=peer, dst=group, ttl=ttl, now=1)
        assert got is RejectReason[verdict]
