"""What `VirtualRouter` makes of its trackers and links: priority, faults, and what it logs."""

import logging
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, cast

import pytest

from fastvrrp.clock import seconds
from fastvrrp.config.model import InstanceConfig, Peer, TrackUse
from fastvrrp.host.holding import Holding, Kind
from fastvrrp.host.links import Link
from fastvrrp.names import Fault, State
from fastvrrp.routers.virtual_router import VirtualRouter
from fastvrrp.track.base import Contribution
from fastvrrp.track.registry import Tracked
from manualtime import ManualLoop


class Hot:
    """Remembers what the hot loop was told last."""

    def __init__(self) -> None:
        self.faults = Fault(0)
        self.priority = 0
        self.cleared = 0
        self.restored: list[str] = []
        self.state = State.ACTIVE

    def set_faults(self, _: int, faults: int) -> None:
        self.faults = Fault(faults)

    def set_priority(self, _: int, priority: int) -> None:
        self.priority = priority

    def send_now(self, _: int, withdraw: tuple[bytes, ...], install: list[Holding]) -> None:
        assert withdraw == ()
        self.restored.append(" ".join(one.text for one in install))

    def status(self, _: int) -> dict[str, State]:
        return {"state": self.state}

    def clear_send_fault(self, _: int) -> None:
        self.cleared += 1


class Host:
    """Interfaces, and which of them count as up; none has an address."""

    def __init__(self, *names: str) -> None:
        self.there = set(names)
        self.down: set[str] = set()

    def link(self, name: str) -> Link | None:
        if name not in self.there:
            return None
        return Link(index=2, generation=1, name=name, flags=0, mac=bytes(6), mtu=1500)

    def up(self, name: str) -> bool:
        return name in self.there - self.down

    def addresses(self, _: int) -> list[object]:
        return []


class Made:
    """No interfaces are made: every instance has that of its configuration."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def link_of(self, instance: InstanceConfig) -> Link | None:
        return self.host.link(instance.interface)

    def problem(self, _: InstanceConfig) -> str | None:
        return None


class Shared:
    def __init__(self, host: Host, needed: tuple[str, ...]) -> None:
        self.made = Made(host)
        self.hot = Hot()
        self.table = self.states = host
        self.needed = {"VI_1": needed}
        self.loop = ManualLoop()
        self.virtual: frozenset[object] = frozenset()
        self.requests = self

    def batches(self, owner: str, holdings: list[Holding], *, once: bool) -> tuple[Holding, ...]:
        assert (owner, once) == ("VI_1", True)
        return tuple(holdings)


class Tracker:
    """Contributes what the test says."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        self.gives = Contribution()

    def start(self) -> None: ...

    def stop(self, on_stopped: Callable[[], object] | None = None) -> None: ...

    def become(self, _: object) -> bool:
        raise NotImplementedError

    def contribution(self, _: TrackUse) -> Contribution:
        return self.gives


class Fixture:
    def __init__(self, *needed: str, **fields: Any) -> None:  # noqa: ANN401 - fields of a dataclass
        self.host = Host("eth0", "eth1")
        self.shared = Shared(self.host, ("eth0", *needed))
        self.trackers = [
            Tracker("script", "chk"),
            Tracker("interface", "eth1"),
            Tracker("file", "load"),
            Tracker("process", "web"),
        ]
        tracked = [Tracked(TrackUse(name=one.name), one) for one in self.trackers]
        config = InstanceConfig(name="VI_1", interface="eth0", vrid=1, **fields)
        self.router = VirtualRouter(
            config, slot=0, shared=cast(Any, self.shared), hooks=cast(Any, None)
        )
        self.router.configure(config, tracked)

    def judge(self, **given: Contribution) -> dict[Fault, str]:
        """Let the trackers, by kind, contribute this and all others nothing; return the faults."""
        for tracker in self.trackers:
            tracker.gives = given.get(tracker.kind, Contribution())
        self.router.judge()
        return self.router.faults

    def look(self) -> dict[Fault, str]:
        self.router.refresh()
        return self.router.faults


@pytest.fixture
def vi_1(caplog: pytest.LogCaptureFixture) -> Fixture:
    caplog.set_level(logging.INFO, "fastvrrp")
    return Fixture()


def fault(words: str) -> Contribution:
    return Contribution(fault=words)


def test_weights_of_all_kinds_are_added_and_explained(vi_1: Fixture) -> None:
    vi_1.judge(script=Contribution(weight=10), file=Contribution(weight=-25))
    assert vi_1.shared.hot.priority == 85
    assert vi_1.router.explain() == "100 base + 10 chk - 25 load = 85"
    assert vi_1.router.faults == {}
    vi_1.judge()
    assert vi_1.shared.hot.priority == 100


def test_the_reasons_of_all_trackers_are_named(vi_1: Fixture) -> None:
    given = vi_1.judge(script=fault("script chk failed"), interface=fault("interface eth1 down"))
    assert given == {Fault.TRACKER: "script chk failed, interface eth1 down"}
    assert vi_1.shared.hot.faults == Fault.TRACKER
    assert vi_1.judge(interface=fault("interface eth1 down")) == {
        Fault.TRACKER: "interface eth1 down"
    }
    assert vi_1.judge() == {}
    assert vi_1.shared.hot.faults == Fault(0)


def test_each_tracker_that_fails_is_logged_once_in_the_words_of_keepalived(
    vi_1: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    down = fault("interface eth1 down")
    vi_1.judge(interface=down)
    vi_1.judge(
        interface=down,
        script=fault("script chk failed"),
        file=fault("tracked file load has status 7"),
        process=fault("tracked process web quorum not achieved"),
    )
    assert caplog.messages == [
        "(VI_1): entering FAULT state (interface eth1 down)",
        "(VI_1): entering FAULT state due to script chk",
        "(VI_1): entering FAULT state (tracked file load has status 7)",
        "(VI_1) entering FAULT state (tracked process web quorum not achieved)",
    ]


def test_a_file_that_fails_and_recovers_later_is_logged_as_such(
    vi_1: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    vi_1.router.state = State.BACKUP
    vi_1.judge(file=fault("tracked file load has status 7"))
    vi_1.judge()
    assert caplog.messages == [
        "(VI_1): tracked file load now FAULT state",
        "(VI_1): tracked file load leaving FAULT state",
    ]


def test_trackers_without_a_result_are_waited_for_silently(
    vi_1: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    waits = Contribution(pending=True)
    given = vi_1.judge(script=waits, process=waits)
    assert given == {Fault.PENDING: "waits for the first result of script chk, process web"}
    assert caplog.messages == []
    assert vi_1.judge() == {}


def test_an_owner_keeps_its_priority_but_not_without_faults() -> None:
    owner = Fixture(priority=255)
    given = owner.judge(script=Contribution(weight=-100), interface=fault("interface eth1 down"))
    assert owner.router.effective_priority == 255
    assert Fault.TRACKER in given


def test_every_interface_that_is_needed_must_be_up() -> None:
    needs = Fixture("eth1")
    assert Fault.LINK not in needs.look()
    needs.host.down = {"eth0", "eth1"}
    assert needs.look()[Fault.LINK] == "interface eth0 down, interface eth1 down"
    needs.host.there.remove("eth1")
    assert needs.look()[Fault.LINK] == "interface eth0 down, interface eth1 does not exist"
    needs.host.down.clear()
    needs.host.there.add("eth1")
    assert Fault.LINK not in needs.look()


def test_with_dont_track_primary_the_own_link_may_be_down_but_must_be_there() -> None:
    needs = Fixture("eth1", track_primary=False)
    needs.host.down = {"eth0", "eth1"}
    assert needs.look()[Fault.LINK] == "interface eth1 down"
    needs.host.down.clear()
    assert Fault.LINK not in needs.look()
    needs.host.there.remove("eth0")
    assert needs.look()[Fault.LINK] == "interface eth0 does not exist"


def test_no_address_is_a_fault_with_keepalived_s_words(
    vi_1: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    assert vi_1.look()[Fault.SOURCE] == "no IPv4 address for interface"
    assert "(VI_1) entering FAULT state (no IPv4 address for interface)" in caplog.messages


def test_unicast_without_a_peer_is_a_fault_if_it_was_asked_to_be() -> None:
    alone = Fixture(unicast_fault_no_peer=True)
    assert alone.look()[Fault.CONFIG] == "no unicast peer is configured"
    peer = Peer(address=ip_address("192.0.2.2"))
    accompanied = Fixture(unicast_fault_no_peer=True, peers=(peer,))
    assert Fault.CONFIG not in accompanied.look()


def test_a_link_that_changed_lets_adverts_be_sent_again(vi_1: Fixture) -> None:
    """Adverts that could not be sent are tried again at once when the link is another one."""
    vi_1.look()
    cleared = vi_1.shared.hot.cleared
    vi_1.look()
    assert vi_1.shared.hot.cleared == cleared
    vi_1.host.there.remove("eth0")
    vi_1.look()
    assert vi_1.shared.hot.cleared == cleared + 1


def holding(text: str) -> Holding:
    return Holding(kind=Kind.ADDRESS, key=("address", text), install=b"", remove=b"", text=text)


def test_what_is_removed_is_put_back_all_at_once() -> None:
    """Given an active router, when somebody removes a primary address and its secondaries go with
    it, then all are set by one request."""
    held = Fixture()
    one, other = holding("192.0.2.100/24"), holding("192.0.2.101/24")
    held.router.placement.held = {one.key: one, other.key: other}
    held.router.placement.on_lost(one, 0)
    held.router.placement.on_lost(other, 0)
    held.shared.loop.advance(0)
    assert held.shared.hot.restored == ["192.0.2.100/24 192.0.2.101/24"]


def test_what_goes_since_the_router_yields_is_not_put_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Given a router that yields, when the kernel tells that its address is gone before it is known
    that it has yielded, then nothing is put back, nor is it said."""
    yielding = Fixture()
    one = holding("fd00::100/64")
    yielding.shared.hot.state = State.BACKUP
    yielding.router.placement.held = {one.key: one}
    yielding.router.placement.on_lost(one, 0)
    yielding.shared.loop.advance(0)
    assert (yielding.shared.hot.restored, caplog.messages) == ([], [])


def test_an_address_that_is_removed_again_and_again_is_left_to_others_for_a_minute() -> None:
    """Given an active router, when somebody removes its address a sixth time within a minute, then
    it is in FAULT, whatever else the host does; a minute later it tries again."""
    contested, one = Fixture(), holding("192.0.2.100/24")
    contested.router.state = State.ACTIVE
    contested.router.placement.held = {one.key: one}
    for _ in range(6):
        contested.router.placement.on_lost(one, 0)
        contested.shared.loop.advance(0)
    assert len(contested.shared.hot.restored) == 5
    told = "something on this host keeps removing 192.0.2.100/24"
    assert contested.router.faults[Fault.ADDRESS] == told
    assert contested.look()[Fault.ADDRESS] == told
    contested.shared.loop.advance(seconds(60))
    assert Fault.ADDRESS not in contested.router.faults
