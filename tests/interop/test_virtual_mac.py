"""fastvrrpd with `use_vmac` beside keepalived and FRR, all with the same virtual MAC addresses."""

import socket
from collections.abc import Callable

import pytest

from interop.peers import (
    OURS,
    THEIRS,
    Instance,
    config,
    keepalived_errors,
    rejects,
    wait_exit,
)
from lab import Advert, FrrInstance, FrrRouter, Host, Lab, LabError, Router
from lab.frr import virtual_mac, why_not

pytestmark = [pytest.mark.netns, pytest.mark.interop]

INTERVAL = 0.1
SLACK_S = 4  # of a busy machine, and for a start
BETTER, WORSE = 150, 100
OF_OURS = ((51, "10.9.0.51"), (61, "fd09::61"))  # we are the better router of these
OF_THEIRS = ((52, "10.9.0.52"), (62, "fd09::62"))
VMAC = "version 3\n use_vmac"


def instances(*, ours: bool) -> list[Instance]:
    """Return the virtual routers as one of the two is told of them."""
    better, worse = (OF_OURS, OF_THEIRS) if ours else (OF_THEIRS, OF_OURS)
    return [
        Instance(vip=vip, priority=priority, vrid=vrid, interval=INTERVAL, body=VMAC)
        for priority, prizes in ((BETTER, better), (WORSE, worse))
        for vrid, vip in prizes
    ]


class Trio:
    """Our router, that of the others, and a client that both serve."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        host = lab.host("ours", "10.9.0.1/24", "fd09::1/64")
        self.ours = Router(host, config(*instances(ours=True)), program=OURS)
        self.others = lab.host("others", "10.9.0.2/24", "fd09::2/64")
        self.client = lab.host("client", "10.9.0.50/24", "fd09::50/64")

    def heard(self, host: Host, prizes: tuple[tuple[int, str], ...], after: int) -> None:
        """Wait until `host` is the active router of `prizes`: an advert of it, from
        the virtual MAC address."""
        ours = host is self.ours.host
        for vrid, vip in prizes:
            advert = self.lab.first(
                Advert,
                lambda e: e.vrid == vrid and e.priority > 0 and is_ours(e) == ours,  # noqa: B023
                after=after,
                timeout=SLACK_S,
            )
            assert advert.frame[6:12].hex(":") == virtual_mac(vrid, vip)

    def reached(self) -> None:
        """Reach our virtual addresses as a new client would: at the virtual MAC address. (The
        others ask in the name of theirs from the interface below, and FRR answers for what it does
        not hold.)"""
        for vrid, vip in OF_OURS:
            self.lab.wait_for(lambda: not self.others.holds(vip), timeout=SLACK_S)  # noqa: B023
            self.client.run("ip", "neigh", "flush", "dev", "eth0")
            family = socket.AF_INET6 if ":" in vip else socket.AF_INET
            with self.client.socket(family, socket.SOCK_STREAM) as connection:
                connection.settimeout(3)
                with pytest.raises(ConnectionRefusedError):
                    connection.connect((vip, 9))
            entry = self.client.run("ip", "neigh", "show", vip).split()
            assert entry[4] == virtual_mac(vrid, vip)


def is_ours(advert: Advert) -> bool:
    """Tell who sent it: the MAC address is the same."""
    return advert.source in ("10.9.0.1", "fe80::ff:fe00:1")


def exchange(
    trio: Trio,
    start: Callable[[], object],
    stop: Callable[[], object],
    *,
    gone: Callable[[int], object] = lambda _: None,
    reached: Callable[[], object] = lambda: None,
) -> None:
    """Let each router leave and come back."""
    lab, ours = trio.lab, trio.ours.host
    start()
    trio.ours.start()
    began = lab.now()
    trio.heard(ours, OF_OURS, began)
    trio.heard(trio.others, OF_THEIRS, began)
    reached()

    left = lab.now()
    trio.ours.stop()
    wait_exit(lab, trio.ours, after=left)
    trio.heard(trio.others, OF_OURS, left)
    assert "vrrp" not in ours.run("ip", "link")
    back = lab.now()
    trio.ours.start()
    trio.heard(ours, OF_OURS, back)
    reached()

    left = lab.now()
    stop()
    trio.heard(ours, OF_THEIRS, left)
    gone(left)
    back = lab.now()
    start()
    trio.heard(trio.others, OF_THEIRS, back)
    trio.heard(ours, OF_OURS, lab.now())
    assert rejects(trio.ours) == []


def test_keepalived(lab: Lab) -> None:
    """Given keepalived with `use_vmac`, then each takes over from the other and yields, a client
    finds our addresses at their virtual MAC address, and neither refuses a packet of the other."""
    trio = Trio(lab)
    theirs = Router(trio.others, config(*instances(ours=False)), program=THEIRS)
    exchange(
        trio,
        theirs.start,
        theirs.stop,
        gone=lambda left: wait_exit(lab, theirs, after=left),
        reached=trio.reached,
    )
    assert keepalived_errors(lab, theirs) == {}


def test_frr(lab: Lab) -> None:
    """The same with FRR, which holds its addresses on macvlan devices as well."""
    if reason := why_not():
        pytest.skip(reason)
    trio = Trio(lab)
    own = instances(ours=False)
    frr = FrrRouter(
        lab,
        trio.others,
        *(
            FrrInstance(
                vrid=one.vrid,
                priority=one.priority,
                address=one.vip,
                interval_ms=round(1000 * INTERVAL),
            )
            for one in own
        ),
    )
    try:
        exchange(trio, frr.start, frr.stop)
    except LabError as error:
        pytest.skip(f"FRR cannot be set up here: {error}")
