"""Which interfaces matter to whom, how long a delay may be, and which links are polled."""

from ipaddress import ip_address, ip_interface, ip_network

import pytest

from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.model import (
    Config,
    GlobalConfig,
    InstanceConfig,
    InterfaceDelay,
    LinkbeatInterface,
    LinkbeatMethod,
    Nexthop,
    ProcessConfig,
    Route,
    Rule,
    SyncGroup,
    TrackGroup,
    TrackUse,
    VirtualAddress,
)
from fastvrrp.host.link_users import (
    linkbeat_of,
    located,
    needed,
    own_link,
    settle_delays,
    watched,
)
from fastvrrp.host.links import HostAddress, Link


def instance(name: str = "VI_1", interface: str = "eth0", **fields: object) -> InstanceConfig:
    return InstanceConfig(name=name, interface=interface, vrid=1, **fields)  # type: ignore[arg-type]


def vip(text: str, **fields: object) -> VirtualAddress:
    return VirtualAddress(address=ip_interface(text), **fields)  # type: ignore[arg-type]


def users(config: Config) -> dict[str, list[str]]:
    return {name: [one.name for one in found] for name, found in watched(config).items()}


def test_needed_are_the_own_interface_and_those_of_tracked_addresses() -> None:
    one = instance(
        addresses=(vip("192.0.2.1"), vip("192.0.2.2", interface="eth1")),
        excluded=(vip("192.0.2.3", interface="eth2", track=False), vip("::1", interface="eth1")),
        interfaces=(TrackUse(name="eth3"),),
    )
    assert needed(Config(instances=(one,))) == {"VI_1": ("eth0", "eth1")}


def test_needed_are_the_interfaces_of_tracked_routes_and_rules() -> None:
    network = ip_network("198.51.100.0/24")
    hops = (Nexthop(interface="eth3"), Nexthop(interface="eth4"))
    one = instance(
        routes=(
            Route(destination=network, interface="eth1"),
            Route(destination=network, interface="eth2", track=False),
            Route(destination=network, nexthops=hops),
        ),
        rules=(Rule(iif="eth5", oif="eth6"), Rule(iif="eth7", track=False)),
    )
    found = needed(Config(instances=(one,)))["VI_1"]
    assert found == ("eth0", "eth1", "eth3", "eth4", "eth5", "eth6")


def test_watched_is_what_is_tracked_as_well() -> None:
    one, two = instance("VI_1", interfaces=(TrackUse(name="eth1"),)), instance("VI_2", "eth2")
    group = SyncGroup(name="G", members=("VI_2",), interfaces=(TrackUse(name="eth1"),))
    config = Config(instances=(one, two), groups=(group,))
    assert users(config) == {"eth0": ["VI_1"], "eth1": ["VI_1", "VI_2"], "eth2": ["VI_2"]}


def test_static_entries_with_a_track_group_need_their_interfaces() -> None:
    """Given static entries of all kinds in one group, then each member needs each interface of
    them, and nobody those of entries without a group or with another one."""
    network = ip_network("198.51.100.0/24")
    config = Config(
        global_defs=GlobalConfig(default_interface="def0"),
        instances=(instance("VI_1"), instance("VI_2"), instance("VI_3")),
        track_groups=(
            TrackGroup(name="G", members=("VI_1", "VI_2")),
            TrackGroup(name="H", members=("VI_2",)),
        ),
        static_addresses=(
            vip("192.0.2.1", interface="a0", track_group="G"),
            vip("192.0.2.2", track_group="H"),
            vip("192.0.2.3", interface="a1"),
        ),
        static_routes=(
            Route(destination=network, interface="r0", track_group="G"),
            Route(
                destination=network,
                nexthops=(Nexthop(interface="n0"), Nexthop(interface="n1"), Nexthop()),
                track_group="G",
            ),
            Route(destination=network, interface="r1"),
        ),
        static_rules=(Rule(iif="i0", oif="o0", track_group="G"), Rule(track_group="G")),
    )
    of_group = ("a0", "r0", "n0", "n1", "i0", "o0")
    assert needed(config) == {
        "VI_1": ("eth0", *of_group),
        "VI_2": ("eth0", *of_group, "def0"),
        "VI_3": ("eth0",),
    }


@pytest.mark.parametrize(
    ("adverts", "interval", "limit"),
    [
        (3, seconds(1), 1_996_093_750),
        (3, milliseconds(100), 199_609_375),
        (2, seconds(1), 996_093_750),
        (1, seconds(1), 0),
    ],
)
def test_a_delay_ends_before_the_others_take_over(
    adverts: int, interval: Nanoseconds, limit: int, caplog: pytest.LogCaptureFixture
) -> None:
    one = instance(down_timer_adverts=adverts, advert_interval=interval)
    delay = InterfaceDelay(interface="eth0", down=seconds(5), up=seconds(255))
    found = settle_delays(Config(instances=(one,), interface_delays=(delay,)))
    assert (found["eth0"].down, found["eth0"].up) == (limit, limit)
    assert caplog.text.count("delays of interface eth0 are limited to") == 1


def test_a_shorter_delay_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    delay = InterfaceDelay(interface="eth0", down=milliseconds(1500), up=milliseconds(1))
    found = settle_delays(Config(instances=(instance(),), interface_delays=(delay,)))
    assert found == {"eth0": delay}
    assert caplog.text == ""


def test_the_most_impatient_instance_limits_the_delay_of_an_interface_that_it_tracks() -> None:
    quick = instance(
        "VI_2", "eth9", advert_interval=milliseconds(100), interfaces=(TrackUse(name="eth0"),)
    )
    delays = (
        InterfaceDelay(interface="eth0", down=seconds(1)),
        InterfaceDelay(interface="nobody", down=seconds(1)),
    )
    found = settle_delays(Config(instances=(instance(), quick), interface_delays=delays))
    assert {name: delay.down for name, delay in found.items()} == {"eth0": 199_609_375}


def test_no_link_is_polled_unless_that_is_configured() -> None:
    assert linkbeat_of(Config(instances=(instance(),))) == {}


def test_polling_of_all_of_those_of_an_instance_and_of_single_ones() -> None:
    one, two = instance("VI_1"), instance("VI_2", "eth2", interfaces=(TrackUse(name="eth3"),))
    everything = ProcessConfig(linkbeat_polling=True)
    eth2 = LinkbeatInterface(interface="eth2", method=LinkbeatMethod.MII)
    nobody = LinkbeatInterface(interface="eth7")
    config = Config(instances=(one, two), linkbeat_interfaces=(eth2, nobody))
    assert linkbeat_of(config) == {"eth2": LinkbeatMethod.MII}
    both = Config(process=everything, instances=(one, two), linkbeat_interfaces=(eth2,))
    assert linkbeat_of(both) == {"eth0": None, "eth2": LinkbeatMethod.MII, "eth3": None}
    own = instance("VI_3", "eth4", linkbeat_polling=True)
    assert linkbeat_of(Config(instances=(one, own))) == {"eth4": None}


# ---- instances without interface ----


class Table:
    """Interfaces by name, with their master and addresses."""

    def __init__(self, *interfaces: tuple[str, str | None, str]) -> None:
        self.names = [name for name, _, _ in interfaces]
        self._links = [
            Link(
                index=self.names.index(name) + 1,
                generation=1,
                name=name,
                flags=0,
                mac=bytes(6),
                mtu=1500,
                kind="vrf" if name.startswith("vrf") else "bridge" if name == "br0" else None,
                master=self.names.index(master) + 1 if master is not None else None,
            )
            for name, master, _ in interfaces
        ]
        self._addresses = {
            index: [HostAddress(index, ip_address(one).packed, 24, 0, None) for one in text.split()]
            for index, (_, _, text) in enumerate(interfaces, 1)
        }

    def links(self) -> list[Link]:
        return self._links[::-1]

    def by_index(self, index: int) -> Link | None:
        return next((one for one in self._links if one.index == index), None)

    def link(self, name: str) -> Link | None:
        return next((one for one in self._links if one.name == name), None)

    def addresses(self, index: int) -> list[HostAddress]:
        return self._addresses[index]


TABLE = Table(
    ("vrf-a", None, ""),
    ("vrf-b", None, "192.0.2.3"),
    ("br0", None, "192.0.2.2"),
    ("eth0", "vrf-a", "192.0.2.1"),
    ("eth1", "br0", "198.51.100.1 192.0.2.1"),
    ("eth2", None, "192.0.2.1"),
)


@pytest.mark.parametrize(
    ("source", "vrf", "expected"),
    [
        ("192.0.2.1", None, "eth1"),
        ("192.0.2.1", "vrf-a", "eth0"),
        ("192.0.2.2", None, "br0"),
        ("192.0.2.3", None, ""),
        ("192.0.2.3", "vrf-b", "vrf-b"),
        ("192.0.2.1", "vrf-b", ""),
        ("192.0.2.1", "vrf-c", ""),
        ("192.0.2.9", None, ""),
    ],
)
def test_without_interface_it_is_the_one_with_the_source_address(
    source: str, vrf: str | None, expected: str
) -> None:
    one = instance(interface="", source=ip_address(source), vrf=vrf)
    assert located(one, TABLE).interface == expected  # type: ignore[arg-type]  # what is used of it


def test_a_configured_interface_is_the_one_whatever_its_addresses() -> None:
    one = instance(interface="eth2", source=ip_address("192.0.2.3"))
    assert own_link(one, TABLE) is TABLE.link("eth2")  # type: ignore[arg-type]  # as above
    assert own_link(instance(interface="eth9"), TABLE) is None  # type: ignore[arg-type]  # as above


def test_no_interface_is_none_that_is_needed() -> None:
    one = instance(interface="", linkbeat_polling=True, addresses=(vip("192.0.2.1"),))
    assert needed(Config(instances=(one,))) == {"VI_1": ()}
    assert linkbeat_of(Config(instances=(one,))) == {}
