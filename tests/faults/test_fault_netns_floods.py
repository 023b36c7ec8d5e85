"""Streams of packets at a router: its adverts stay on time and its log stays short. Rows 47-49 and
106 of docs/faults.md.

The case that the field has: any packet for the VRID, valid or not, postponed the
master's next advert, so that three a second made its backup take over again and again.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypedDict

import pytest

from conformance.scene import Sent, advert
from fastvrrp.clock import seconds
from fastvrrp.names import RejectReason
from faults.attacker import AdvertWatch, frame, packet
from lab import Advert, Arp, Exited, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

VICTIM, ATTACKER, PEER = "10.9.0.1", "10.9.0.66", "10.9.0.2"
CHECKSUM = 6
FLOOD = Path(__file__).with_name("flood.py")
SLACK_S = 0.05


def config(interval: float, *, priority: int = 250, version: int = 3, body: str = "") -> str:
    return f"""
vrrp_instance VI_1 {{
 state BACKUP
 interface eth0
 virtual_router_id 51
 version {version}
 priority {priority}
 advert_int {interval:g}
 {body}
 virtual_ipaddress {{
 10.9.0.100
 }}
}}
"""


def active(lab: Lab, host: Host, text: str) -> Router:
    """Start a router, and wait until it is active."""
    router = Router(host, text, program="fastvrrpd")
    router.start()
    lab.first(LogLine, lambda e: "setting VIPs" in e.text and e.host == host.name, timeout=8)
    return router


class Wrong(TypedDict, total=False):
    """How an advert differs from one that wins, as `layout` takes it."""

    version: int
    vrid: int
    priority: int
    interval_ns: int
    dst: bytes
    auth_type: int
    password: bytes
    ttl: int
    unicast: bool


def adverts(count: int = 64, **changes: object) -> list[Sent]:
    """Return adverts of priority 254, unless changed, with rising AH sequences."""
    usual: dict[str, object] = {
        "priority": 254,
        "src": IPv4Address(ATTACKER).packed,
        "interval_ns": seconds(1),
        "addresses": (IPv4Address("10.9.0.100").packed,),
    }
    return [advert(**(usual | changes), ah_sequence=number) for number in range(1, count + 1)]


class Flood:
    """Sends `packets` from `attacker` in turn, `rate` a second, for `duration` s."""

    def __init__(
        self, lab: Lab, attacker: Host, packets: Iterable[bytes], *, to: Host | None = None
    ) -> None:
        self.lab, self.attacker = lab, attacker
        frames = [frame(data, attacker, to).hex() for data in packets]
        self.file = attacker.write("/run/frames", "\n".join(frames))
        self.began = 0

    def start(self, rate: float, duration: float) -> None:
        self.began = self.lab.now()
        argv = (sys.executable, str(FLOOD), self.file, str(rate), str(duration))
        self.attacker.popen(*argv)

    def wait(self) -> int:
        """Wait for the end, taking in what happens meanwhile; returns how many were sent."""
        name = self.attacker.name
        self.lab.first(Exited, lambda e: e.host == name, after=self.began, timeout=10)
        said = self.lab.first(LogLine, lambda e: e.host == name, after=self.began, timeout=1)
        return int(said.text.removeprefix("sent "))


def log_of(lab: Lab, host: Host) -> list[str]:
    return [e.text for e in lab.events(LogLine) if e.host == host.name]


# ---- valid adverts ----


def test_fault_047_flood_of_lower_priority(lab: Lab) -> None:
    """Given a master, when it is sent 2500 valid adverts of lower priority a second, then it
    answers with ten adverts and ten gratuitous ARPs a second at most, and ten lines."""
    victim, attacker = lab.host("victim", f"{VICTIM}/24"), lab.host("attacker", f"{ATTACKER}/24")
    active(lab, victim, config(1))
    lines = len(log_of(lab, victim))
    flood = Flood(lab, attacker, map(packet, adverts(1, priority=1)))
    flood.start(2500, 2)
    flood.wait()
    lasted = (lab.now() - flood.began) / 1e9
    sent = lab.events(Advert, lambda e: e.host == "victim" and e.at > flood.began)
    announced = lab.events(Arp, lambda e: e.host == "victim" and e.at > flood.began)
    heard = lab.events(Advert, lambda e: e.host == "attacker" and e.at > flood.began)
    assert len(heard) > 2000
    assert 2 * lasted < len(sent) <= 10 * lasted + 2
    assert 1 <= len(announced) <= 10 * lasted + 5
    assert len(log_of(lab, victim)) - lines <= 10
    assert victim.holds("10.9.0.100")


# ---- rejected adverts ----


def test_fault_048_flood_with_wrong_checksum_at_a_backup(lab: Lab) -> None:
    """Given a pair with an interval of 0.2 s, when as many adverts with a wrong checksum as one CPU
    sends in 3 s reach the backup, then it hears the master still: no takeover, one line."""
    victim, attacker = lab.host("victim", f"{VICTIM}/24"), lab.host("attacker", f"{ATTACKER}/24")
    backup = lab.host("backup", f"{PEER}/24")
    active(lab, victim, config(0.2))
    Router(backup, config(0.2, priority=100), program="fastvrrpd").start()
    lab.first(LogLine, lambda e: e.host == "backup" and "master set to" in e.text, timeout=8)
    lines = len(log_of(lab, backup))
    right = [one for number in (66, 67) for one in adverts(1, src=bytes((10, 9, 0, number)))]
    wrong = [one.patched(CHECKSUM, b"\x12\x34", resum=False) for one in right]
    flood = Flood(lab, attacker, map(packet, wrong), to=backup)
    flood.start(200_000, 3)
    assert flood.wait() > 50_000
    lab.first(
        LogLine, lambda e: e.host == "backup" and RejectReason.CHECKSUM.text in e.text, timeout=2
    )
    assert len(log_of(lab, backup)) - lines == 1
    assert not backup.holds("10.9.0.100")
    assert victim.holds("10.9.0.100")


def test_fault_049_flood_for_others(lab: Lab) -> None:
    """Given a master, when it is sent 10,000 packets a second for another VRID, or of another
    protocol of the same number, then it says nothing, its adverts keep their interval of 0.1 s, and
    the daemon takes less than a fifth of a CPU."""
    victim, attacker = lab.host("victim", f"{VICTIM}/24"), lab.host("attacker", f"{ATTACKER}/24")
    active(lab, victim, config(0.1))
    lines = len(log_of(lab, victim))
    (unknown,) = adverts(1, vrid=99)
    other = unknown.patched(0, b"\x52\x01", resum=False)
    flood = Flood(lab, attacker, map(packet, (unknown, other)))
    before = cpu_seconds(victim)
    with AdvertWatch(lab, victim) as watch:
        flood.start(10_000, 2)
        gaps = watch.gaps(2.1)
    flood.wait()
    used = cpu_seconds(victim) - before
    assert used < 0.2 * (lab.now() - flood.began) / 1e9
    assert len(gaps) >= 19
    assert max(gaps) <= 0.1 + SLACK_S
    assert len(log_of(lab, victim)) == lines


def cpu_seconds(host: Host) -> float:
    """Return the CPU time of the daemon and its child so far."""
    files = host.run("sh", "-c", "for file in /run/*.pid; do cat /proc/$(cat $file)/stat; done")
    fields = [line.rpartition(")")[2].split() for line in files.splitlines()]
    return sum(int(one[11]) + int(one[12]) for one in fields) / 100


@dataclass(frozen=True)
class Attack:
    """A class of rejected packets, and what the victim is configured for."""

    name: str
    reject: RejectReason
    body: str = ""
    wrong: Wrong = field(default_factory=Wrong)
    version: int = 3
    spoil_checksum: bool = False


ATTACKS = (
    Attack("bad-checksum", RejectReason.CHECKSUM, spoil_checksum=True),
    Attack(
        "wrong-password",
        RejectReason.AUTH_PASS,
        body="authentication {\n auth_type PASS\n auth_pass right\n }",
        wrong={"auth_type": 1, "password": b"wrong"},
        version=2,
    ),
    Attack(
        "wrong-ah-key",
        RejectReason.AUTH_ICV,
        body="authentication {\n auth_type AH\n auth_pass right\n }",
        wrong={"auth_type": 2, "password": b"wrong"},
        version=2,
    ),
    Attack("wrong-ttl", RejectReason.TTL, wrong={"ttl": 254}),
    Attack(
        "foreign-source",
        RejectReason.SOURCE,
        body=f"unicast_src_ip {VICTIM}\n unicast_peer {{\n {PEER}\n }}",
        wrong={"unicast": True, "dst": IPv4Address(VICTIM).packed},
    ),
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_fault_106_rejected_packets_neither_delay_adverts_nor_fill_the_log(
    lab: Lab, attack: Attack
) -> None:
    """Given a master, when it is sent rejected adverts of priority 254, from three in each interval
    to 100,000 a second, then its adverts keep their interval (0.1 s; 1 s where version 2 is needed)
    within 50 ms, it stays master, and its log names the first of them and no more."""
    interval = 1.0 if attack.version == 2 else 0.1
    victim, attacker = lab.host("victim", f"{VICTIM}/24"), lab.host("attacker", f"{ATTACKER}/24")
    lab.host("peer", f"{PEER}/24")
    active(lab, victim, config(interval, version=attack.version, body=attack.body))
    lines_before = len(log_of(lab, victim))
    target = victim if attack.wrong.get("unicast") else None
    flood = Flood(lab, attacker, hostile(attack), to=target)

    with AdvertWatch(lab, victim) as watch:
        for rate in (3 / interval, 100_000):
            flood.start(rate, 1 + 1.5 * interval)
            gaps = watch.gaps(1 + 1.6 * interval)
            flood.wait()
            assert len(gaps) >= 1
            assert max(gaps) <= interval + SLACK_S, (rate, gaps)

    lines = log_of(lab, victim)[lines_before:]
    assert any(attack.reject.text in line for line in lines), lines
    assert len(lines) <= 3, lines
    assert victim.holds("10.9.0.100")


def hostile(attack: Attack) -> Iterator[bytes]:
    """Adverts that would win, if they were not wrong in one respect."""
    for each in adverts(version=attack.version, **attack.wrong):
        data = bytearray(packet(each))
        if attack.spoil_checksum:
            data[each.start + CHECKSUM] ^= 0x55
        yield bytes(data)
