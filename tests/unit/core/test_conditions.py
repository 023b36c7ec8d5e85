"""What is wrong between two routers is a named condition, which a packet shows and time ends."""

from dataclasses import replace

import pytest
from packets import (
    HMAC_ROUTER,
    HMAC_TIME_ROUTER,
    OWN,
    PASS_ROUTER,
    PEER,
    PLAIN_ROUTER,
    STRANGER,
    VIP,
    advert,
    deliver,
    params,
    signed,
)

from fastvrrp.clock import seconds
from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import Condition, NoteKind, State
from fastvrrp.report.snapshot import describe


def backup(receiver: RouterParams) -> Core:
    core = Core(1)
    core.add(receiver)
    core.startup(0, 0)
    core.drain_notes()
    return core


@pytest.mark.parametrize(
    ("receiver", "packet", "condition"),
    [
        (PLAIN_ROUTER, advert(version=3), Condition.VERSION),
        (PLAIN_ROUTER, advert(interval_ns=seconds(2)), Condition.INTERVAL),
        (params(version=3), advert(version=3, interval_ns=seconds(2)), Condition.INTERVAL),
        (PASS_ROUTER, advert(), Condition.AUTHENTICATION),
        (PASS_ROUTER, advert(auth_type=1, password=b"wrong"), Condition.AUTHENTICATION),
        (HMAC_ROUTER, advert(), Condition.AUTHENTICATION),
        (PLAIN_ROUTER, signed(), Condition.AUTHENTICATION),
        (HMAC_TIME_ROUTER, signed(second=100), Condition.STALE),
        (PLAIN_ROUTER, advert(addresses=(VIP, OWN)), Condition.ADDRESSES),
        (PLAIN_ROUTER, advert(src=OWN), Condition.SAME_ADDRESS),
    ],
)
def test_a_packet_shows_what_is_wrong_with_its_sender(
    receiver: RouterParams, packet: bytes, condition: Condition
) -> None:
    core = backup(receiver)
    deliver(core, packet, seconds(1))
    shown = core.status(0)["conditions"]
    assert list(shown) == [condition]
    source, seen, _ = shown[condition]
    assert source == (OWN if condition is Condition.SAME_ADDRESS else PEER)
    assert seen == seconds(1)


def test_a_healthy_peer_shows_nothing() -> None:
    core = backup(PLAIN_ROUTER)
    deliver(core, advert(), seconds(1))
    assert core.status(0)["conditions"] == {}


def test_a_damaged_packet_shows_nothing() -> None:
    """A packet with a wrong checksum is nobody's configuration."""
    core = backup(PLAIN_ROUTER)
    packet = bytearray(advert(version=3))
    packet[-1] ^= 1
    deliver(core, bytes(packet), seconds(1))
    assert core.status(0)["conditions"] == {}


def test_a_condition_is_described_while_it_lasts() -> None:
    shown = {Condition.VERSION: (PEER, seconds(100), 3)}
    expected = {Condition.VERSION: "192.0.2.1: it speaks another VRRP version"}
    assert describe(shown, seconds(1), now=seconds(110)) == expected
    assert describe(shown, seconds(1), now=seconds(110) + 1) == {}
    assert describe(shown, seconds(40), now=seconds(260)) == expected


def test_the_addresses_of_the_known_active_router_may_be_left_uncompared() -> None:
    """Given skip_check_adv_addr, then another list of the router that is known as active is
    nothing; that of a stranger is."""
    core = backup(replace(PLAIN_ROUTER, skip_check_addresses=True))
    deliver(core, advert(), seconds(1))
    deliver(core, advert(addresses=(VIP, OWN)), seconds(2))
    assert core.status(0)["conditions"] == {}
    deliver(core, advert(addresses=(VIP, OWN), src=STRANGER), seconds(3))
    assert list(core.status(0)["conditions"]) == [Condition.ADDRESSES]


@pytest.mark.parametrize("hold", [False, True])
def test_a_stale_but_authentic_better_router_is_an_alarm_and_holds_if_asked_to(hold: bool) -> None:
    """Given clocks that differ by more than the window, when authentic adverts of a better router
    arrive, then the alarm is told once a minute; with stale_action hold, the backup waits."""
    assert HMAC_TIME_ROUTER.hmac is not None
    hmac = replace(HMAC_TIME_ROUTER.hmac, hold=hold)
    core = backup(replace(HMAC_TIME_ROUTER, hmac=hmac))
    for second in range(1, 20):
        core.advance(seconds(second))
        deliver(core, signed(second=100 + second), seconds(second))
    notes = [note for note in core.drain_notes() if note.kind is NoteKind.STALE_PEER]
    assert [(note.a, note.b) for note in notes] == [(100, 200)]
    assert core.state(0) is (State.BACKUP if hold else State.ACTIVE)


def test_a_stale_advert_that_is_not_authentic_holds_nobody() -> None:
    assert HMAC_TIME_ROUTER.hmac is not None
    core = backup(replace(HMAC_TIME_ROUTER, hmac=replace(HMAC_TIME_ROUTER.hmac, hold=True)))
    before = core.deadline()
    deliver(core, signed(second=100, patch=(27, 0)), seconds(1))
    assert core.deadline() == before
    assert list(core.status(0)["conditions"]) == [Condition.AUTHENTICATION]
    assert [note.kind for note in core.drain_notes()] == [NoteKind.REJECT]
