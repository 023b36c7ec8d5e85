"""Sync groups, start-up delays, replay marks, and what fits an advert, on real interfaces."""

from collections.abc import Iterator

import pytest

from lab import AddressAdded, AddressRemoved, Advert, Exited, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

OURS = "fastvrrpd"
SLACK = 100_000_000  # ns, which a busy machine may take to read what happened
VIPS = {"VI_1": "10.9.0.100", "VI_2": "10.8.0.100"}


def instance(name: str, interface: str, vrid: int, priority: int, body: str = "") -> str:
    return f"""
vrrp_instance {name} {{
    interface {interface}
    version 3
    virtual_router_id {vrid}
    priority {priority}
    advert_int 0.1
    virtual_ipaddress {{
        {VIPS[name]}/24
    }}
    {body}
}}
"""


def group(*, priority: int) -> str:
    return f"""
vrrp_sync_group BOTH {{
    group {{
        VI_1
        VI_2
    }}
    notify /run/notify.sh
}}
{instance("VI_1", "eth0", 51, priority)}
{instance("VI_2", "eth1", 52, priority)}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def host(lab: Lab) -> Host:
    return lab.host("r1", "10.9.0.1/24")


def wait(lab: Lab, kind: type[AddressAdded | AddressRemoved], vip: str, after: int = 0) -> None:
    lab.first(kind, lambda e: e.address == vip, after=after, timeout=8)


def logged(lab: Lab, text: str, after: int = 0) -> LogLine:
    return lab.first(LogLine, lambda e: text in e.text, after=after, timeout=8)


def sequence(advert: Advert) -> int:
    """Return the AH sequence number: behind the Ethernet and IPv4 headers, at offset 8."""
    at = 14 + 20 + 8
    return int.from_bytes(advert.frame[at : at + 4], "big")


def test_a_group_fails_over_together_and_says_why(lab: Lab, host: Host) -> None:
    """Given two instances in a group, when the link of one is cut, then both addresses leave and
    the log says which one is the reason; when it is back, both return. The script of the group is
    told each state once."""
    host.write("/run/notify.sh", '#!/bin/sh\necho "$@" >> /run/told\n')
    host.run("chmod", "755", "/run/notify.sh")
    lab.lan("br1")
    host.plug("eth1", "br1", "10.8.0.1/24")
    router = Router(host, group(priority=150), program=OURS)
    router.start()
    for vip in VIPS.values():
        wait(lab, AddressAdded, vip)
    begin = lab.now()
    host.cut("eth1")
    for vip in VIPS.values():
        wait(lab, AddressRemoved, vip, begin)
    logged(lab, "(VI_2): entering FAULT state (interface eth1 down)", begin)
    logged(lab, "VRRP_Group(BOTH) Syncing instances to FAULT state", begin)
    logged(lab, "(VI_1) Entering FAULT STATE", begin)
    back = lab.now()
    host.heal("eth1")
    for vip in VIPS.values():
        wait(lab, AddressAdded, vip, back)
    router.stop()
    lab.first(Exited, lambda e: e.process == OURS, timeout=8)
    states = ("BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP")
    told = host.run("cat", "/run/told").splitlines()
    assert told == [f"GROUP BOTH {state} 0" for state in states]


def test_the_start_up_delay_is_waited_for(lab: Lab, host: Host) -> None:
    """Given a start-up delay, then no advert is sent before it is over; the timers count from its
    end."""
    text = "global_defs {\n vrrp_startup_delay 1\n}\n" + instance("VI_1", "eth0", 51, 150)
    Router(host, text, program=OURS).start()
    begin = logged(lab, "Delaying startup for 1.000 seconds").at
    end = logged(lab, "Delayed start completed").at
    first = lab.first(Advert, lambda e: e.host == "r1", timeout=8)
    assert end - begin >= 1_000_000_000 - SLACK
    assert first.at - begin >= 1_340_000_000 - SLACK
    assert not lab.events(LogLine, lambda e: "Entering" in e.text and e.at < end)


def test_addresses_beyond_the_mtu_are_held_and_not_advertised(lab: Lab, host: Host) -> None:
    """Given an MTU with room for ten addresses, when there are twelve, then the log says so, ten
    are advertised and all are held."""
    host.run("ip", "link", "set", "eth0", "mtu", "68")
    more = "\n".join(f"10.9.1.{n}/24" for n in range(1, 12))
    body = f"virtual_ipaddress {{\n{more}\n}}"
    Router(host, instance("VI_1", "eth0", 51, 150, body), program=OURS).start()
    logged(lab, "has room for 10 addresses: the other 2 are held")
    wait(lab, AddressAdded, "10.9.1.11")
    advert = lab.first(Advert, lambda e: e.host == "r1", timeout=8)
    assert len(advert.addresses) == 10


def test_replay_marks_are_kept_over_a_restart(lab: Lab, host: Host) -> None:
    """Given an AH router, when it is killed and started again, then its sequence goes on."""
    body = "authentication {\n auth_type AH\n auth_pass secret\n}"
    text = instance("VI_1", "eth0", 51, 150, body).replace("version 3", "version 2")
    router = Router(host, text.replace("advert_int 0.1", "advert_int 1"), program=OURS)
    router.start()
    first = lab.first(Advert, lambda e: e.host == "r1", timeout=8)
    logged(lab, "Entering MASTER STATE")
    router.stop()
    lab.first(Exited, lambda e: e.process == OURS, timeout=8)
    last = max(map(sequence, lab.events(Advert)))
    again = lab.now()
    router.start()
    later = lab.first(Advert, lambda e: e.host == "r1", after=again, timeout=8)
    assert sequence(first) == 1
    assert sequence(later) > last


def told_by(lab: Lab, host: str, text: str) -> None:
    lab.first(LogLine, lambda e: e.host == host and text in e.text, timeout=12)


def test_ah_and_none_are_told_about_each_other(lab: Lab, host: Host) -> None:
    """Given one router with AH and one without, which are different IP protocols, then both are
    active, and each says who the other is and what differs."""
    body = "authentication {\n auth_type AH\n auth_pass secret\n}"
    plain = instance("VI_1", "eth0", 51, 150).replace("version 3", "version 2")
    plain = plain.replace("advert_int 0.1", "advert_int 1")
    Router(
        host, plain.replace("virtual_ipaddress", body + "\nvirtual_ipaddress"), program=OURS
    ).start()
    other = lab.host("r2", "10.9.0.2/24")
    Router(other, plain, program=OURS).start()
    for name, rival in (("r1", "10.9.0.2"), ("r2", "10.9.0.1")):
        text = f"two routers hold the addresses now: this one, and {rival}"
        told_by(lab, name, text)
