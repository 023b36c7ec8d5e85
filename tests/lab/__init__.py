"""A small network of real kernels' namespaces: hosts on a switch, faults, and events to wait for.

    with Lab() as lab:
        web1 = lab.host("web1", "10.12.166.81/24")
        web2 = lab.host("web2", "10.12.166.82/24")
        router = Router(web1, Path("examples/web1.conf").read_text(), program="keepalived")
        router.start()
        lab.wait_for(lambda: web1.holds("10.12.166.80"), timeout=6)
        web1.power_off()

Works as root and, through a user namespace, as an ordinary user. The calling process enters no
namespace: an init process in each host starts programs and hands over sockets. Nothing is left
behind, however the caller ends.
"""

from lab.agent import LabError, LabUnavailableError
from lab.events import (
    AddressAdded,
    AddressRemoved,
    Advert,
    Arp,
    Event,
    Exited,
    LogLine,
    NeighbourAdvert,
)
from lab.frr import FrrInstance, FrrRouter
from lab.network import Host, Lab, LabTimeoutError
from lab.process import Process
from lab.router import Router, find_program
from lab.web import WebServer, fetch

__all__ = [
    "AddressAdded",
    "AddressRemoved",
    "Advert",
    "Arp",
    "Event",
    "Exited",
    "FrrInstance",
    "FrrRouter",
    "Host",
    "Lab",
    "LabError",
    "LabTimeoutError",
    "LabUnavailableError",
    "LogLine",
    "NeighbourAdvert",
    "Process",
    "Router",
    "WebServer",
    "fetch",
    "find_program",
]
