"""Core as Python sees it: capacities, ranges, and rules that stand beside the state machine."""

from typing import Any

import pytest
from packets import OWN, PEER, VIP, VRID, advert, deliver, params

from fastvrrp.clock import seconds
from fastvrrp.core.acts import RouterParams
from fastvrrp.core.core import Core
from fastvrrp.names import RejectReason, State


def test_core_without_routers_or_ports_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one router and one port"):
        Core(0)
    with pytest.raises(ValueError, match="at least one router and one port"):
        Core(1, 0)


def test_router_beyond_the_capacity_is_refused() -> None:
    core = Core(2)
    assert [core.add(params(vrid=1)), core.add(params(vrid=2))] == [0, 1]
    with pytest.raises(ValueError, match="no room"):
        core.add(params(vrid=3))


def test_vrid_is_taken_once_a_port() -> None:
    core = Core(3, 2)
    core.add(params(vrid=1, port=0))
    core.add(params(vrid=1, port=1))
    with pytest.raises(ValueError, match="VRID 1 is taken on port 1"):
        core.add(params(vrid=1, port=1))


def test_unicast_routers_of_one_vrid_are_told_apart_by_their_peers() -> None:
    """Given three unicast routers of one VRID with different peers, then an advert reaches the one
    whose peer has sent it; one that shares a peer is refused; each may leave and come back."""
    core = Core(4, 2)
    peers = [bytes((192, 0, 2, host)) for host in (1, 2, 3)]
    for peer in peers:
        core.add(params(peers=(peer,)))
    with pytest.raises(ValueError, match="is taken on port 0"):
        core.add(params(peers=(bytes((192, 0, 2, 9)), peers[1])))
    with pytest.raises(ValueError, match="is taken on port 0"):
        core.add(params())
    for vr in range(3):
        core.startup(vr, 0)
    for peer in (*peers, peers[1]):
        packet = advert(src=peer, dst=OWN, unicast=True)
        assert deliver(core, packet, seconds(1)) is RejectReason.ACCEPTED
    assert [core.counters(vr)["adverts_received"] for vr in range(3)] == [1, 2, 1]
    stranger = advert(src=bytes((192, 0, 2, 77)), dst=OWN, unicast=True)
    assert deliver(core, stranger, seconds(1)) is RejectReason.SOURCE


def test_every_vrid_of_every_port_has_its_router() -> None:
    """Given 255 routers on each of two ports, then each advert reaches its own and no other."""
    core = Core(510, 2)
    for port in (0, 1):
        for vrid in range(1, 256):
            core.add(params(vrid=vrid, port=port))
    for vr in range(510):
        core.startup(vr, 0)
    for vrid in (1, 128, 255):
        deliver(core, advert(vrid=vrid), 1)
    heard = [vr for vr in range(510) if core.counters(vr)["adverts_received"]]
    assert heard == [0, 127, 254]


@pytest.mark.parametrize("vr", [-1, 1, 100])
def test_unknown_router_is_refused(vr: int) -> None:
    core = Core(2)
    core.add(params())
    for call in (core.state, core.status, core.counters):
        with pytest.raises(IndexError, match=f"no virtual router {vr}"):
            call(vr)
    for change in (core.startup, core.shutdown):
        with pytest.raises(IndexError):
            change(vr, 0)
    with pytest.raises(IndexError):
        core.set_priority(vr, 100, 0)


def test_port_outside_the_core_is_refused() -> None:
    core = Core(1)
    with pytest.raises(ValueError, match="no port 1"):
        core.add(params(port=1))
    with pytest.raises(ValueError, match="no port 1"):
        core.receive(b"", family=4, src=b"", dst=b"", ttl=255, now=0, port=1)
    with pytest.raises(ValueError, match="no port -1"):
        core.port_rejects(-1)


@pytest.mark.parametrize("priority", [-1, 0, 256])
def test_priority_outside_1_to_255_is_refused(priority: int) -> None:
    core = Core(1)
    core.add(params())
    with pytest.raises(ValueError, match=r"outside 1\.\.255"):
        core.set_priority(0, priority, 0)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"vrid": 0}, "vrid"),
        ({"vrid": 256}, "vrid"),
        ({"version": 4}, "version"),
        ({"family": 5}, "family"),
        ({"priority": 0}, "priority"),
        ({"priority": 256}, "priority"),
        ({"advert_interval": 999_999}, "advert_interval"),
        ({"preempt_delay": -1}, "preempt_delay"),
        ({"addresses": (VIP,) * 256}, "addresses"),
        ({"addresses": (b"12345",)}, "addresses"),
        ({"peers": (PEER,) * (RouterParams.MAX_PEERS + 1)}, "peers"),
        ({"peers": (bytes(16),)}, "addresses and peers"),
        ({"auth_type": 3}, "auth_type"),
    ],
)
def test_parameters_outside_their_range_are_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        RouterParams(**({"vrid": 1} | changes))


def test_password_is_not_shown() -> None:
    assert "secret" not in repr(params(auth_type=1, password=b"secret"))


def test_full_house_of_addresses_and_peers_fits() -> None:
    core = Core(1)
    vips = tuple(bytes((10, 0, 0, n)) for n in range(255))
    peers = tuple(bytes((10, 0, 1, n)) for n in range(RouterParams.MAX_PEERS))
    core.add(params(addresses=vips, peers=peers))
    core.startup(0, 0)
    packet = advert(addresses=vips, src=peers[-1], dst=OWN, unicast=True)
    assert deliver(core, packet, 1) is RejectReason.ACCEPTED
    assert core.counters(0)["address_list_mismatch"] == 0


def test_source_decides_between_equal_priorities() -> None:
    """Given an active router that gets another source address, then that one counts from now on."""
    core = Core(1)
    core.add(params(source=OWN))
    core.startup(0, 0)
    core.advance(seconds(4))
    deliver(core, advert(priority=100, src=PEER), seconds(5))
    assert core.state(0) is State.ACTIVE
    core.set_source(0, bytes((192, 0, 2, 0)))
    deliver(core, advert(priority=100, src=PEER), seconds(6))
    assert core.state(0) is State.BACKUP


def test_addresses_compare_as_unsigned_bytes() -> None:
    """Given 192.0.2.5 and an equal advert from 10.200.0.1, then the first byte decides; and 224
    is above it."""
    core = Core(1)
    core.add(params(source=OWN))
    core.startup(0, 0)
    core.advance(seconds(4))
    deliver(core, advert(priority=100, src=bytes((10, 200, 0, 1))), seconds(5))
    assert core.state(0) is State.ACTIVE
    deliver(core, advert(priority=100, src=bytes((223, 0, 0, 1))), seconds(6))
    assert core.state(0) is State.BACKUP


def test_owner_preempts_whatever_preempt_mode_says() -> None:
    """RFC 9568 §6.1 excepts the owner of the addresses from Preempt_Mode."""
    core = Core(1)
    core.add(params(priority=255, preempt=False))
    core.startup(0, 0)
    due = core.deadline()
    deliver(core, advert(priority=254), 1)
    assert core.deadline() == due


def test_raised_priority_does_not_move_the_timer_into_the_past() -> None:
    """Given a backup with a tenth of a second left, when its Skew_Time shrinks by more than that,
    then it takes over now; a timer in the past would look like a host that stood still."""
    core = Core(1)
    core.add(params(priority=1))
    core.startup(0, 0)
    now = seconds(3.9)
    core.advance(now)
    core.set_priority(0, 254, now)
    assert core.deadline() == now
    core.advance(now)
    assert core.state(0) is State.ACTIVE


def test_deadline_is_none_until_something_runs() -> None:
    core = Core(1)
    assert core.deadline() is None
    core.add(params(vrid=VRID))
    assert core.deadline() is None
    core.startup(0, 0)
    assert core.deadline() == seconds(3) + seconds(156) // 256
