"""Which interfaces matter to whom, how long a delay may be, and which links are polled."""

from ipaddress import ip_interface, ip_network

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
from fastvrrp.host.link_users import linkbeat_of, needed, settle_delays, watched


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
