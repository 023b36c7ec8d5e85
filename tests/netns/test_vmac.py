"""Virtual MAC addresses seen from outside: by a client, by the switch that learns where a MAC
address is, and on the cable of the backup, which says nothing."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from lab import AddressAdded, AddressRemoved, Advert, Arp, Exited, Host, Lab, LogLine, Router
from lab.frr import virtual_mac

pytestmark = pytest.mark.netns

VRID = 51
VIP4, VIP6 = "10.9.0.100", "fd09::100"
INTERVAL = 0.1
DOWN_S = 4 * INTERVAL
SLACK_S = 3  # of a busy machine
ETH_P_ALL, OUTGOING = 3, 4
SWITCH = "br0"


def config(
    priority: int, body: str = "use_vmac", *, vip: str = VIP4, more: str = "", version: int = 3
) -> str:
    addresses = f"fe80::100/64\n {vip}/64" if ":" in vip else f"{vip}/24"
    return f"""
{more}
vrrp_instance VI_1 {{
 state BACKUP
 interface eth0
 virtual_router_id {VRID}
 priority {priority}
 version {version}
 advert_int {INTERVAL if version == 3 else 1:g}
 {body}
 virtual_ipaddress {{
 {addresses}
 }}
}}
"""


class Cable:
    """What a host sends, as its port of the switch sees it."""

    def __init__(self, lab: Lab, host: Host) -> None:
        self._socket = lab.switch.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._socket.setblocking(False)
        self._socket.bind((host.name, ETH_P_ALL))

    def close(self) -> None:
        self._socket.close()

    def sent(self) -> list[bytes]:
        """Return the frames that came from the host since the last call."""
        found: list[bytes] = []
        while True:
            try:
                frame, (_, _, kind, *_) = self._socket.recvfrom(2048)
            except BlockingIOError:
                return found
            if kind != OUTGOING:
                found.append(frame)

    def deliver(self, frame: bytes) -> None:
        """Send `frame` to the host, as a switch does that does not know its MAC address."""
        self._socket.send(frame)


@contextmanager
def cable(lab: Lab, host: Host) -> Iterator[Cable]:
    tapped = Cable(lab, host)
    try:
        yield tapped
    finally:
        tapped.close()


class Scene:
    """Router `a`, which is active, router `b`, its backup, and a client."""

    def __init__(
        self,
        lab: Lab,
        body: str = "use_vmac",
        *,
        vip: str = VIP4,
        other_body: str | None = None,
        version: int = 3,
    ) -> None:
        self.lab, self.vip = lab, vip
        self.mac = virtual_mac(VRID, vip)
        self.a, self.b = (
            Router(
                lab.host(name, f"10.9.0.{last}/24", f"fd09::{last}/64"),
                config(priority, its_body, vip=vip, version=version),
                program="fastvrrpd",
            )
            for name, last, priority, its_body in (
                ("a", 1, 200, body),
                ("b", 2, 100, body if other_body is None else other_body),
            )
        )
        self.client = lab.host("client", "10.9.0.50/24", "fd09::50/64")
        self.a.start()
        self.added("a", 0)
        self.b.start()
        lab.first(LogLine, lambda e: e.host == "b" and "Entering BACKUP" in e.text, timeout=5)

    def added(self, host: str, after: int) -> AddressAdded:
        return self.lab.first(
            AddressAdded,
            lambda e: (e.host, e.address) == (host, self.vip),
            after=after,
            timeout=4 * DOWN_S + SLACK_S,
        )

    def adverts(self, router: str, after: int, count: int = 1) -> list[Advert]:
        """Wait for `count` adverts of a router's own address."""
        found = []
        for _ in range(count):
            found.append(
                self.lab.first(
                    Advert, lambda e: e.source in self.sources(router), after=after, timeout=SLACK_S
                )
            )
            after = found[-1].at
        return found

    def sources(self, router: str) -> tuple[str, ...]:
        number = 1 if router == "a" else 2
        return (f"10.9.0.{number}", f"fe80::ff:fe00:{number}")

    def neighbour(self) -> str:
        """Reach the virtual address, and return the MAC address that the client has for it."""
        family = socket.AF_INET6 if ":" in self.vip else socket.AF_INET
        with self.client.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(3)
            with pytest.raises(ConnectionRefusedError):  # there is an answer
                connection.connect((self.vip, 9))
        return self.client.run("ip", "neigh", "show", self.vip).split()[4]

    def port(self) -> str:
        """Return the port of the switch behind which it knows the virtual MAC address."""
        known = self.lab.switch.run("bridge", "fdb", "show", "br", SWITCH).splitlines()
        (line,) = (one for one in known if one.startswith(self.mac))
        return line.split()[2]


def from_mac(frames: list[bytes], mac: str) -> list[bytes]:
    return [frame for frame in frames if frame[6:12].hex(":") == mac]


@pytest.mark.parametrize("vip", [VIP4, VIP6])
def test_a_failover_moves_the_port_and_not_the_mac(lab: Lab, vip: str) -> None:
    """Given a client that knows the virtual address, when the active router dies, then adverts and
    answers come from the same virtual MAC address, the switch knows it behind the other port, the
    client's entry stays, and before that the backup has sent nothing from it."""
    scene = Scene(lab, vip=vip)
    with cable(lab, scene.b.host) as of_b:
        (advert,) = scene.adverts("a", lab.now())
        assert advert.frame[6:12].hex(":") == scene.mac
        assert scene.neighbour() == scene.mac
        assert scene.port() == "a"
        assert from_mac(of_b.sent(), scene.mac) == []
        died = lab.now()
        scene.a.host.power_off()
        added = scene.added("b", died)
        (first,) = scene.adverts("b", died)
        assert first.frame[6:12].hex(":") == scene.mac
        assert first.at < added.at
        assert scene.port() == "b"
        entry = scene.client.run("ip", "neigh", "show", vip).split()
        assert entry[4] == scene.mac
        assert scene.neighbour() == scene.mac
        mine = {frame[6:12].hex(":") for frame in of_b.sent() if frame[12:14] != b"\x08\x06"}
        assert scene.mac in mine


@pytest.mark.parametrize("vip", [VIP4, VIP6])
def test_a_backup_is_deaf_and_silent(lab: Lab, vip: str) -> None:
    """Given a backup that forwards packets, when hosts ask for the virtual address, and the switch
    floods frames to the virtual MAC address, then it answers nothing, forwards nothing and sends
    nothing from that MAC address; the active router forwards them (RFC 9568 §6.4.2, §6.4.3)."""
    scene = Scene(lab, vip=vip)
    for router in (scene.a, scene.b):
        for family in ("ipv4", "ipv6"):
            router.host.write(f"/proc/sys/net/{family}/conf/all/forwarding", "1")
    other, target = ("fd09::50", "fd09::77") if ":" in vip else ("10.9.0.50", "10.9.0.77")
    lab.host("target", "10.9.0.77/24", "fd09::77/64")
    with cable(lab, scene.a.host) as of_a, cable(lab, scene.b.host) as of_b:
        for _ in range(3):
            scene.client.run("ip", "neigh", "flush", "dev", "eth0")
            scene.neighbour()
        packet = datagram(scene.mac, other, target)
        of_b.deliver(packet)
        of_a.deliver(packet)
        lab.wait_for(lambda: any(MARK in frame for frame in of_a.sent()), timeout=SLACK_S)
        scene.adverts("a", lab.now(), 3)
        frames = of_b.sent()
    assert not any(MARK in frame for frame in frames)
    assert from_mac(frames, scene.mac) == []
    asked = [frame for frame in frames if ip_address(vip).packed in frame[14:]]
    assert asked == []


@pytest.mark.parametrize("vip", [VIP4, VIP6])
def test_two_active_routers_hear_each_other(lab: Lab, vip: str) -> None:
    """Given two routers that were separated and are both active, then their adverts, which come
    from the same MAC address, are heard, and the lesser one steps back without a word: when an
    address of IPv6 goes, the kernel would leave its multicast group aloud, and the switch would
    take that for the virtual MAC address having moved."""
    scene = Scene(lab, vip=vip)
    began = lab.now()
    scene.b.host.isolate()
    scene.added("b", began)
    with cable(lab, scene.b.host) as of_b:
        healed = lab.now()
        scene.b.host.heal()
        lab.first(
            AddressRemoved,
            lambda e: (e.host, e.address) == ("b", vip),
            after=healed,
            timeout=2 * INTERVAL + SLACK_S,
        )
        scene.adverts("a", lab.now(), 2)
        assert not any(leaves_a_group(frame) for frame in of_b.sent())
        assert scene.port() == "a"
        scene.adverts("a", lab.now(), 5)
        assert from_mac(of_b.sent(), scene.mac) == []


def leaves_a_group(frame: bytes) -> bool:
    """Tell if a frame is an MLDv2 report that ends a membership (RFC 3810 §5.2.12)."""
    report, change_to_include, block_old_sources = 143, 3, 6
    is_report = frame[12:14] == b"\x86\xdd" and frame[20] == 0 and frame[62:63] == bytes((report,))
    return is_report and frame[70] in (change_to_include, block_old_sources)


def test_adverts_by_the_base_interface(lab: Lab) -> None:
    """Given `vmac_xmit_base`, then adverts come from the interface's own MAC address, and the
    address is answered for with the virtual one."""
    scene = Scene(lab, "use_vmac\n vmac_xmit_base")
    (advert,) = scene.adverts("a", lab.now())
    assert advert.frame[6:12].hex(":") == scene.a.host.mac
    assert scene.neighbour() == scene.mac


def test_unicast_with_a_virtual_mac(lab: Lab) -> None:
    """Given unicast peers, then adverts go by the base interface, and a failover works."""
    body = "use_vmac\n vmac_xmit_base\n unicast_peer {{\n {} \n}}"
    scene = Scene(lab, body.format("10.9.0.2"), other_body=body.format("10.9.0.1"))
    assert scene.neighbour() == scene.mac
    died = lab.now()
    scene.a.host.power_off()
    scene.added("b", died)
    assert scene.neighbour() == scene.mac
    assert scene.port() == "b"


@pytest.mark.parametrize("where", ["", "all "])
def test_extra_announcements_keep_the_switch_informed(lab: Lab, where: str) -> None:
    """Given adverts by the base interface, and an address on another interface, when
    `garp_extra_if` is 1, then the virtual MAC address is announced every second, and with `all` the
    other interface, too."""
    host = lab.host("a", "10.9.0.1/24")
    lab.lan("br1")
    host.plug("eth1", "br1", "10.8.0.1/24")
    body = (
        f"use_vmac\n vmac_xmit_base\n garp_extra_if {where}1\n garp_master_delay 0\n"
        " virtual_ipaddress_excluded {\n 10.8.0.100/24 dev eth1\n }"
    )
    Router(host, config(200, body), program="fastvrrpd").start()
    first = lab.first(Arp, lambda e: e.sender == VIP4, timeout=5)
    told = [first.at]
    for _ in range(2):
        after = told[-1] + int(0.9e9)
        told.append(lab.first(Arp, lambda e: e.sender == VIP4, after=after, timeout=SLACK_S).at)
    assert told[2] - told[1] < 2.5e9
    others = [e.at for e in lab.events(Arp, lambda e: e.sender == "10.8.0.100")]
    assert any(at > first.at + 0.9e9 for at in others) == (where != "")


SETTINGS = {
    "net/ipv4/conf/vrrp.51/arp_ignore": "1",
    "net/ipv4/conf/vrrp.51/accept_local": "1",
    "net/ipv4/conf/vrrp.51/rp_filter": "2",
    "net/ipv4/conf/vrrp.51/promote_secondaries": "1",
    "net/ipv4/conf/vrrp.51/forwarding": "1",
    "net/ipv6/conf/vrrp.51/disable_ipv6": "1",
    "net/ipv6/conf/vrrp.51/addr_gen_mode": "1",
    "net/ipv4/conf/eth0/arp_ignore": "1",
    "net/ipv4/conf/eth0/arp_filter": "1",
    "net/ipv4/conf/eth0/arp_announce": "2",
}


def settings(host: Host, *names: str) -> dict[str, str]:
    paths = (f"/proc/sys/{name}" for name in names)
    return dict(zip(names, host.run("cat", *paths).split(), strict=True))


def test_parameters_are_set_and_come_back(lab: Lab) -> None:
    """Given a host with reverse path filtering that forwards on one interface only, then the
    parameters of both interfaces are right while the router runs, the address is reachable, and
    nothing is left of it after the end."""
    host = lab.host("a", "10.9.0.1/24")
    client = lab.host("client", "10.9.0.50/24")
    host.write("/proc/sys/net/ipv4/conf/all/rp_filter", "1")
    host.write("/proc/sys/net/ipv4/conf/eth0/forwarding", "1")
    base = [name for name in SETTINGS if "eth0" in name]
    before = settings(host, *base)
    router = Router(host, config(200), program="fastvrrpd")
    router.start()
    lab.first(AddressAdded, lambda e: e.address == VIP4, timeout=5)
    assert settings(host, *SETTINGS) == SETTINGS
    with client.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(3)
        with pytest.raises(ConnectionRefusedError):
            connection.connect((VIP4, 9))
    router.stop()
    lab.first(Exited, timeout=5)
    assert settings(host, *base) == before
    assert "vrrp.51" not in host.run("ip", "link")


def links(host: Host) -> dict[str, str]:
    """Return the MAC addresses of a host's interfaces by their names."""
    lines = host.run("ip", "-br", "link").splitlines()
    return {line.split()[0].partition("@")[0]: line.split()[2] for line in lines}


def said(lab: Lab, text: str, *, after: int = 0, host: str = "a") -> LogLine:
    return lab.first(LogLine, lambda e: e.host == host and text in e.text, after=after, timeout=5)


def test_an_interface_that_somebody_removes_or_changes_is_made_again(lab: Lab) -> None:
    """Given an active router, when its interface is deleted, given another MAC address, or set
    down, then it is as before, with its address, and the router is active still."""
    scene = Scene(lab)
    host = scene.a.host
    for command in (
        ("del", "vrrp.51"),
        ("set", "vrrp.51", "address", "02:00:00:00:00:77"),
        ("set", "vrrp.51", "down"),
    ):
        done = lab.now()
        host.run("ip", "link", *command)
        if command[-1] == "down":
            said(lab, "vrrp.51 was set down; restored", after=done)
        else:
            scene.added("a", done)
        scene.adverts("a", lab.now(), 1)
        scene.client.run("ip", "neigh", "flush", "dev", "eth0")
        assert scene.neighbour() == scene.mac
    assert lab.events(LogLine, lambda e: e.host == "b" and "MASTER" in e.text) == []


def test_a_new_base_interface_carries_a_new_one(lab: Lab) -> None:
    """Given an active router, when the interface below is deleted and comes back, then the router
    is in FAULT meanwhile, with nothing left, and active again with everything set."""
    scene = Scene(lab)
    host = scene.a.host
    gone = lab.now()
    host.run("ip", "link", "del", "eth0")
    said(lab, "Entering FAULT STATE", after=gone)
    scene.added("b", gone)
    assert "vrrp.51" not in links(host)
    host.plug_in()
    back = lab.now()
    scene.added("a", back)
    assert links(host)["vrrp.51"] == scene.mac
    assert settings(host, "net/ipv4/conf/eth0/arp_ignore").popitem()[1] == "1"
    assert scene.neighbour() == scene.mac


@pytest.mark.parametrize(
    ("body", "common", "name"),
    [
        ("use_vmac lan0", "", "lan0"),
        ("use_vmac", "global_defs {\n vmac_prefix a_long_prefix\n}", "a_long_prefi.51"),
    ],
)
def test_names(lab: Lab, body: str, common: str, name: str) -> None:
    """Given a name or a prefix, then the interface has it, in 15 characters at most."""
    host = lab.host("a", "10.9.0.1/24")
    Router(host, config(200, body, more=common), program="fastvrrpd").start()
    lab.first(AddressAdded, lambda e: e.address == VIP4, timeout=5)
    assert links(host)[name] == virtual_mac(VRID, VIP4)


def test_what_is_there_already_is_not_touched(lab: Lab) -> None:
    """Given an interface of an operator with the name that ours would have, then ours has the next
    name; and given that one is asked for by its name, then the router is in FAULT, and says why."""
    host = lab.host("a", "10.9.0.1/24")
    host.run("ip", "link", "add", "link", "eth0", "name", "vrrp.51", "type", "macvlan")
    before = links(host)
    router = Router(host, config(200, "use_vmac 02:00:00:00:05"), program="fastvrrpd")
    router.start()
    lab.first(AddressAdded, lambda e: e.address == VIP4, timeout=5)
    assert links(host) == before | {"vrrp1.51": "02:00:00:00:05:33"}
    router.stop()
    ended = lab.first(Exited, timeout=5)
    assert links(host) == before
    router = Router(host, config(200, "use_vmac vrrp.51"), program="fastvrrpd")
    router.start()
    said(lab, "entering FAULT state (there is another interface vrrp.51", after=ended.at)
    assert links(host) == before


def test_what_a_killed_run_left_is_replaced(lab: Lab) -> None:
    """Given a run that was killed with everything it had, when it starts again, then there is one
    interface, a new one, with the right parameters; and none after the end."""
    host = lab.host("a", "10.9.0.1/24")
    router = Router(host, config(200), program="fastvrrpd")
    router.start()
    lab.first(AddressAdded, lambda e: e.address == VIP4, timeout=5)
    killed = lab.now()
    router.kill_whole()
    router.start()
    lab.first(AddressAdded, lambda e: e.address == VIP4, after=killed, timeout=10)
    assert [name for name in links(host) if name.startswith("vrrp")] == ["vrrp.51"]
    stopped = lab.now()
    router.stop()
    lab.first(Exited, after=stopped, timeout=5)
    assert set(links(host)) == {"lo", "eth0"}
    assert settings(host, "net/ipv4/conf/eth0/arp_ignore").popitem()[1] == "0"


@pytest.mark.parametrize("vip", [VIP4, VIP6])
def test_the_parent_resigns_for_a_killed_child_from_the_virtual_mac(lab: Lab, vip: str) -> None:
    """Given an active router, when its process is killed, then the parent sends priority 0 from the
    virtual MAC address, and the backup takes over, and is found there."""
    scene = Scene(lab, vip=vip)
    killed = lab.now()
    scene.a.host.run("sh", "-c", "kill -9 $(cat /run/router-vrrp.pid)")
    resigned = lab.first(Advert, lambda e: e.priority == 0, after=killed, timeout=SLACK_S)
    assert resigned.source in scene.sources("a")
    assert resigned.frame[6:12].hex(":") == scene.mac
    scene.added("b", killed)
    assert scene.neighbour() == scene.mac


MARK = b"to be forwarded"


def datagram(mac: str, source: str, target: str) -> bytes:
    """Return a frame to `mac` with a packet for another host, which carries MARK."""
    head = bytes.fromhex(mac.replace(":", "")) + bytes.fromhex("020000000099")
    udp = struct.pack("!HHHH", 9, 9, 8 + len(MARK), 0) + MARK
    addresses = ip_address(source).packed + ip_address(target).packed
    if ":" in source:
        total = sum(struct.unpack(f"!{len(addresses) // 2}H", addresses)) + len(udp) + 17
        padded = udp + bytes(len(udp) % 2)
        checksum = folded(total + sum(struct.unpack(f"!{len(padded) // 2}H", padded)))
        udp = udp[:6] + struct.pack("!H", checksum) + MARK
        return (
            head + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + addresses + udp
        )
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + addresses
    checksum = folded(sum(struct.unpack("!10H", ip)))
    return head + b"\x08\x00" + ip[:10] + struct.pack("!H", checksum) + ip[12:] + udp


def folded(total: int) -> int:
    """Return the complement of a one's complement sum."""
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
