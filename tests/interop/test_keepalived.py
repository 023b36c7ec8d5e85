"""fastvrrpd against Debian's keepalived, both ways round, in every mode that both speak."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop.pcap import expert_messages
from lab import AddressAdded, Advert, Arp, Exited, Host, Lab, NeighbourAdvert, Router

pytestmark = [pytest.mark.netns, pytest.mark.interop]

OURS, THEIRS = "fastvrrpd", "keepalived"


@dataclass(frozen=True)
class Mode:
    """One way to configure both; `interval` is advert_int, `down` Master_Down_Interval rounded
    up."""

    name: str
    body: str
    vip: str = "10.9.0.100"
    interval: float = 1
    unicast: bool = False

    @property
    def down(self) -> float:
        return 4 * self.interval


MODES = (
    Mode("v2-none", ""),
    Mode("v2-pass", "authentication {\n auth_type PASS\n auth_pass s3cr3tPw\n }"),
    Mode("v2-ah", "authentication {\n auth_type AH\n auth_pass s3cr3tPw\n }"),
    Mode("v3-ipv4", "version 3", interval=0.2),
    Mode("v3-ipv6", "version 3", vip="fd09::100", interval=0.2),
    Mode("v2-unicast", "", unicast=True),
    Mode("v3-ipv4-unicast", "version 3", interval=0.2, unicast=True),
)


def config(mode: Mode, *, priority: int, own: str, peer: str) -> str:
    """The configuration of one of the two, the same text for either daemon."""
    vips = [mode.vip] if ":" not in mode.vip else ["fe80::9:100", mode.vip]
    newline = "\n "
    unicast = f"unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}" if mode.unicast else ""
    return f"""
global_defs {{
 router_id interop
}}
vrrp_instance VI_1 {{
 state BACKUP
 interface eth0
 virtual_router_id 51
 priority {priority}
 advert_int {mode.interval:g}
 {mode.body}
 {unicast}
 virtual_ipaddress {{
 {newline.join(vips)}
 }}
}}
"""


@dataclass
class Pair:
    """A master and a backup of different make, and the network that they share."""

    lab: Lab
    mode: Mode
    master: Router
    backup: Router

    def wait_holder(self, router: Router, after: int, timeout: float) -> AddressAdded:
        """Wait until the kernel of the router's host has the virtual address."""
        return self.lab.first(
            AddressAdded,
            lambda e: e.host == router.host.name and e.address == self.mode.vip,
            after=after,
            timeout=timeout,
        )

    def wait_adverts(self, router: Router, count: int) -> None:
        """Wait for `count` adverts from now on."""
        start = self.lab.now()
        for _ in range(count):
            start = self.lab.first(
                Advert,
                lambda e: e.host == router.host.name and e.priority > 0,
                after=start,
                timeout=3 * self.mode.interval,
            ).at


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def make_pair(lab: Lab, mode: Mode, master: str) -> Pair:
    backup = THEIRS if master == OURS else OURS
    hosts = [lab.host("r1", "10.9.0.1/24"), lab.host("r2", "10.9.0.2/24")]
    return Pair(
        lab,
        mode,
        Router(
            hosts[0], config(mode, priority=150, own="10.9.0.1", peer="10.9.0.2"), program=master
        ),
        Router(
            hosts[1], config(mode, priority=100, own="10.9.0.2", peer="10.9.0.1"), program=backup
        ),
    )


def keepalived_errors(host: Host, lab: Lab, pid_file: str) -> dict[str, int]:
    """What keepalived's own statistics hold against the packets that it received."""
    host.run("rm", "-f", "/tmp/keepalived.stats")
    host.run("sh", "-c", f"kill -USR2 $(cat {pid_file})")
    lab.wait_for(lambda: "Priority Zero" in read_stats(host), timeout=3)
    errors = re.search(r"Packet Errors:\n(.*?)  Priority Zero", read_stats(host), re.DOTALL)
    assert errors is not None
    return {k: int(v) for k, v in re.findall(r"^    (\w[\w ]*): (\d+)$", errors[1], re.MULTILINE)}


def read_stats(host: Host) -> str:
    return host.run("sh", "-c", "cat /tmp/keepalived.stats 2>/dev/null || true")


@pytest.mark.parametrize("master", [OURS, THEIRS])
@pytest.mark.parametrize("mode", MODES, ids=lambda m: m.name)
def test_election_failover_and_fall_back(lab: Lab, mode: Mode, master: str, tmp_path: Path) -> None:
    """Given one router of each make, when the better one stops, dies and returns, then the other
    takes over and yields in time, and neither refuses a packet of the other."""
    pair = make_pair(lab, mode, master)
    start = lab.now()
    pair.master.start()
    pair.backup.start()
    pair.wait_holder(pair.master, start, mode.down + 3)
    pair.wait_adverts(pair.master, 3)
    assert not pair.backup.host.holds(mode.vip)

    resigned = lab.now()
    pair.master.stop()
    pair.wait_holder(pair.backup, resigned, mode.down)
    zero = lab.first(
        Advert, lambda e: e.host == "r1" and e.priority == 0, after=resigned, timeout=1
    )
    assert not pair.master.host.holds(mode.vip)
    first = lab.first(Advert, lambda e: e.host == "r2", after=zero.at, timeout=1)
    assert first.at - zero.at < 1.2e9 * max(mode.interval, 0.2), "took over in Skew_Time"

    lab.first(Exited, lambda e: e.host == "r1", after=resigned, timeout=8)
    returned = lab.now()
    pair.master.start()
    pair.wait_holder(pair.master, returned, mode.down + 3)
    lab.wait_for(lambda: not pair.backup.host.holds(mode.vip), timeout=2)
    pair.wait_adverts(pair.master, 2)

    died = lab.now()
    pair.master.host.power_off()
    pair.wait_holder(pair.backup, died, mode.down + 1)
    announced = NeighbourAdvert if ":" in mode.vip else Arp
    lab.first(announced, lambda e: e.host == "r2", after=died, timeout=2)

    theirs = pair.master if master == THEIRS else pair.backup
    if theirs is pair.backup:
        assert not any(keepalived_errors(theirs.host, lab, "/run/router.pid").values())
    ours = pair.backup if theirs is pair.master else pair.master
    assert [line for line in ours.log if "rejected" in line] == []
    frames = [e.frame for e in lab.events(Advert) if e.host == ours.host.name]
    assert len(frames) > 3
    assert expert_messages(frames, tmp_path / "ours.pcap") == []


def test_keepalived_master_that_never_stopped_accepted_all(lab: Lab) -> None:
    """Given keepalived as the better router, when ours was active first and yields, then
    keepalived's statistics name no error."""
    mode = MODES[2]
    pair = make_pair(lab, mode, THEIRS)
    start = lab.now()
    pair.backup.start()
    pair.wait_holder(pair.backup, start, mode.down + 3)
    pair.wait_adverts(pair.backup, 2)
    late = lab.now()
    pair.master.start()
    pair.wait_holder(pair.master, late, mode.down + 3)
    lab.wait_for(lambda: not pair.backup.host.holds(mode.vip), timeout=2)
    assert not any(keepalived_errors(pair.master.host, lab, "/run/router.pid").values())
    assert [line for line in pair.backup.log if "rejected" in line] == []
