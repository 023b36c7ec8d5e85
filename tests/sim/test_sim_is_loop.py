"""The simulation puts on the wire, and leaves off it, what the daemon's loop does."""

from ipaddress import IPv4Address, ip_address, ip_interface

import pytest
from scenery import VRID, entries, pair

from fastvrrp.clock import seconds
from fastvrrp.config.model import (
    AuthHmac,
    Config,
    HmacKey,
    HmacMode,
    InstanceConfig,
    OldChecksum,
    Peer,
    Version,
    VirtualAddress,
)
from fastvrrp.errors import ConfigError
from fastvrrp.names import Fault, State
from fastvrrp.secret import Secret
from fastvrrp.sim import World
from fastvrrp.sim.lan import Datagram
from fastvrrp.wire.advert import decode_packet
from fastvrrp.wire.values import Decoded

NOW = seconds(1_800_000_000)
KEY = HmacKey(id=1, secret=Secret(b"k" * 32))
PSEUDO, MESSAGE_ONLY, GROUP = 0, 1, 2


class Site:
    """Node `a` of priority 200 and node `b` of priority 100, from configurations."""

    def __init__(self, a: InstanceConfig, b: InstanceConfig) -> None:
        self.world = World(1)
        self.lan = self.world.lan()
        self.frames: list[Datagram] = []
        self.lan.taps.append(self.frames.append)
        for number, config in enumerate((a, b), 1):
            node = self.world.node(
                "ab"[number - 1],
                Config(instances=(config,)),
                {"eth0": (self.lan, f"192.0.2.{number}")},
            )
            node.step_wall_clock(NOW)
            node.start()
        self.world.run_for(seconds(10))

    def sent_by(self, host: int) -> list[Decoded]:
        """Return the frames of 192.0.2.`host` so far."""
        source = bytes((192, 0, 2, host))
        return [decode_packet(f.data, family=4) for f in self.frames if f.src == source]

    def rejected(self, node: str) -> int:
        counters = self.world.nodes[node].counters()
        return sum(n for key, n in counters.items() if key.startswith("rejected"))


def instance(priority: int, **fields: object) -> InstanceConfig:
    settings: dict[str, object] = {"version": Version.V3, **fields}
    return InstanceConfig(
        name="VI_1",
        interface="eth0",
        vrid=VRID,
        priority=priority,
        addresses=(VirtualAddress(address=ip_interface("198.51.100.51/24")),),
        **settings,  # type: ignore[arg-type]
    )


PEERS = tuple(Peer(address=ip_address(f"192.0.2.{host}")) for host in (1, 2))


# ---- what is sent ----


def test_keys_of_a_configuration_sign_adverts() -> None:
    """Given two nodes with auth_hmac, then both accept each other's adverts; a third one with
    another key is refused."""
    config = AuthHmac(keys=(KEY,), active_key=1)
    site = Site(instance(200, hmac=config), instance(100, hmac=config))
    assert site.world.holders(VRID) == {"a"}
    assert all(one.trailer is not None for one in site.sent_by(1))
    assert site.rejected("b") == 0
    other = AuthHmac(keys=(HmacKey(id=1, secret=Secret(b"o" * 32)),), active_key=1)
    torn = Site(instance(200, hmac=config), instance(100, hmac=other))
    assert torn.world.holders(VRID) == {"a", "b"}


def test_key_that_cannot_be_used_is_told() -> None:
    config = AuthHmac(keys=(HmacKey(id=1, secret=Secret(b"short")),), active_key=1)
    with pytest.raises(ConfigError, match="key 1 cannot be used"):
        Site(instance(200, hmac=config), instance(100))


def test_receive_only_mode_sends_no_trailer() -> None:
    """Given a node that checks signatures and sends none, and one without auth_hmac, then the
    latter accepts its adverts."""
    config = AuthHmac(keys=(KEY,), active_key=1, mode=HmacMode.RECEIVE_ONLY)
    site = Site(instance(200, hmac=config), instance(100))
    assert site.world.holders(VRID) == {"a"}
    assert all(one.trailer is None and one.valid for one in site.sent_by(1))
    assert site.rejected("b") == 0


def test_multicast_group_is_the_configured_one() -> None:
    group = ip_address("224.0.0.99")
    site = Site(instance(200, mcast_group=group), instance(100, mcast_group=group))
    assert site.world.holders(VRID) == {"a"}
    assert {frame.dst for frame in site.frames} == {group.packed}
    torn = Site(instance(200, mcast_group=group), instance(100))
    assert torn.world.holders(VRID) == {"a", "b"}


def test_checksum_over_the_message_only() -> None:
    site = Site(instance(200, v3_checksum_as_v2=True), instance(100))
    assert {one.checksum_style for one in site.sent_by(1)} == {MESSAGE_ONLY}
    assert site.world.holders(VRID) == {"a"}
    assert site.rejected("b") == 0


@pytest.mark.parametrize(
    ("of_b", "style"),
    [(OldChecksum.AUTO, GROUP), (OldChecksum.NEVER, PSEUDO), (OldChecksum.ALWAYS, GROUP)],
)
def test_old_checksum_is_spoken_to_who_speaks_it(of_b: OldChecksum, style: int) -> None:
    """Given a peer that computes unicast checksums as old versions of keepalived do, when the other
    one has heard it and takes over, then it does the same, unless it is configured otherwise."""
    site = Site(
        instance(200, peers=PEERS, old_checksum=OldChecksum.ALWAYS),
        instance(100, peers=PEERS, old_checksum=of_b),
    )
    assert {one.checksum_style for one in site.sent_by(1)} == {GROUP}
    site.world.nodes["a"].stop()
    site.world.run_for(seconds(10))
    assert {one.checksum_style for one in site.sent_by(2)} == {style}


def test_old_checksum_is_forgotten_with_the_process() -> None:
    """Given a node that learnt the old checksum, when it starts again and hears nobody, then it
    sends that of the RFC."""
    site = Site(
        instance(200, peers=PEERS, old_checksum=OldChecksum.ALWAYS), instance(100, peers=PEERS)
    )
    site.world.nodes["a"].crash()
    site.world.nodes["b"].crash()
    site.world.nodes["b"].start()
    site.world.run_for(seconds(10))
    assert {one.checksum_style for one in site.sent_by(2)} == {PSEUDO}


def test_unicast_to_nobody_is_silence_not_multicast() -> None:
    """Given a node whose only peer is itself, then it sends nothing."""
    site = Site(instance(200, peers=PEERS[:1]), instance(100))
    assert site.world.nodes["a"].state() is State.ACTIVE
    assert site.sent_by(1) == []
    assert {one.dst for one in site.sent_by(2)} == {IPv4Address("224.0.0.18")}


# ---- what is not sent ----


def test_resignation_is_dropped_when_the_router_is_active_again() -> None:
    """Given an address owner, when a fault comes and goes before the node has sent anything, then
    nobody hears a resignation that is no longer true."""
    p = pair(a={"priority": 255, "start_active": True})
    p.settle()
    since = p.world.now
    core = p.a._running()
    core.set_faults(0, Fault.TRACKER, since)
    core.set_faults(0, 0, since)
    p.a._settle()
    assert p.a.state() is State.ACTIVE
    p.world.run_for(seconds(10))
    assert not [e for e in entries(p.world, "SEND", node="a", since=since) if e.value == 0]
    assert not entries(p.world, "RESIGNED_PEER", "STATE", node="b", since=since)
    assert p.holders() == {"a"}
