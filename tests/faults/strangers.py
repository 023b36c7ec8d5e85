"""Adverts of nobody on the LAN: spoofed, replayed, spoiled."""

from conformance.scene import Sent, advert
from fastvrrp.clock import Nanoseconds
from fastvrrp.sim import Lan, World
from fastvrrp.sim.lan import Datagram

VIP = bytes((198, 51, 100, 51))
STRANGER = bytes((192, 0, 2, 66))


def frame(sent: Sent) -> Datagram:
    """Return an advert as the simulated LAN carries it."""
    return Datagram(sent.family, sent.data, sent.src, sent.dst)


def spoofed(**changes: object) -> Datagram:
    """Return an advert of priority 255 and version 2 from a stranger, unless changed: the
    keywords of `layout`, and `ah_sequence`."""
    return frame(sent(**changes))


def sent(**changes: object) -> Sent:
    """Return the same, to be spoiled."""
    usual = {"version": 2, "priority": 255, "src": STRANGER, "addresses": (VIP,)}
    return advert(**(usual | changes))


def stream(
    world: World,
    lan: Lan,
    datagram: Datagram,
    *,
    every: Nanoseconds,
    count: int,
    only: tuple[str, ...] = (),
) -> None:
    """Send `datagram` `count` times from now on, `every` ns, to all or to the nodes in `only`."""

    def send() -> None:
        lan.inject(datagram, only=only)

    for number in range(count):
        world.clock.after(every * number, send)
