"""Set and remove lines of a configuration in the kernel, and tell what came of it; run as a program
inside a host of the lab.

Reads {"block": …, "lines": […]} and prints a list with an object for each line (see `Probe.tell`).
"""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from pyroute2.netlink.rtnl import RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE

from fastvrrp.config import loads
from fastvrrp.host.addresses import address_holding
from fastvrrp.host.holding import Holding, HoldingError
from fastvrrp.host.iproute import Names
from fastvrrp.host.links import Key, LinkTable
from fastvrrp.host.netlink import Message, RouteSocket, attributes, decode, dump, packed
from fastvrrp.host.routes import route_holding, route_key
from fastvrrp.host.rules import rule_holding, rule_key
from fastvrrp.reactor import Reactor

GROUPS = 0x40 | 0x80 | 0x400 | 1 << 18  # routes and rules of both families
KINDS = {
    "static_ipaddress": (RTM_GETADDR, 8, 6),
    "static_routes": (RTM_GETROUTE, 12, 12),
    "static_rules": (RTM_GETRULE, 12, None),
}
"""What asks for all of them, the size of its fixed part, and the attribute that is a clock."""

KEYS: dict[str, Callable[[Message], Key]] = {"static_routes": route_key, "static_rules": rule_key}
SHOW = {
    "static_ipaddress": ["ip", "-o", "address"],
    "static_routes": ["ip", "-d", "route", "show", "table", "all", "proto", "18"],
    "static_rules": ["ip", "rule"],
}


class Probe:
    """Everything that is there of the kind of `block`."""

    def __init__(self, block: str) -> None:
        self.block = block
        self.lost: list[Key] = []
        reactor = Reactor()
        self.table = LinkTable(reactor, lambda: None, lambda key, port: self.lost.append(key))
        self.reactor = reactor
        self.asking = RouteSocket()
        self.news = RouteSocket(GROUPS)

    def holding(self, line: str) -> Holding:
        """Return what a line says."""
        config = loads(f"{self.block} {{\n{line}\n}}\n")
        if self.block == "static_ipaddress":
            (address,) = config.static_addresses
            link = self.table.link(address.interface or "")
            assert link is not None
            return address_holding(address, link)
        if self.block == "static_routes":
            (route,) = config.static_routes
            return route_holding(route, self.table, Names())
        (rule,) = config.static_rules
        return rule_holding(rule, Names())

    def present(self) -> list[tuple[bytes, dict[int, bytes]]]:
        """Return all that the kernel has, without its clocks."""
        kind, size, clock = KINDS[self.block]
        found = []
        for family in (2, 10):
            for raw in dump(packed(kind, bytes([family]) + bytes(size - 1))):
                parts = attributes(raw.data, 16 + size)
                if clock is not None:
                    parts.pop(clock, None)
                found.append((raw.data[16 : 16 + size], parts))
        return found

    def told(self) -> list[Key]:
        """Return the keys in the kernel's news since the last time."""
        key = KEYS.get(self.block)
        if key is not None:
            return [key(message) for raw in self.news.read() for message in decode(raw)]
        self.lost.clear()
        self.reactor.run_once(0)
        return self.lost

    def ask(self, request: bytes) -> list[str | None]:
        """Return the name of the error of a request, and the kernel's words."""
        (said,) = self.asking.ask([request])
        return [errno.errorcode.get(said.code), said.text]

    def tell(self, line: str, after: list[list[str]]) -> dict[str, Any]:
        """Set the line twice and remove it; tell what the kernel said, and what is there then.

        `after`: commands to run between.
        """
        try:
            one = self.holding(line)
        except HoldingError as error:
            return {"refused": str(error)}
        before = self.present()
        self.told()
        found: dict[str, Any] = {"text": one.text, "install": self.ask(one.install)}
        found["shown"] = shown(self.block, one.key)
        found["told"] = self.told() == [one.key]
        installed = self.present()
        found["again"] = self.ask(one.install)
        found["same"] = self.present() == installed
        for command in after:
            subprocess.run(command, check=True)
        self.told()
        found["remove"] = self.ask(one.remove)
        found["told_removal"] = self.told()[-1:] == [one.key]
        found["left"] = self.present() != before
        return found


def shown(block: str, key: Key) -> str:
    """Return what ip(8) shows of the family of `key`."""
    ends = [end for end in key if hasattr(end, "version")]
    program, *words = SHOW[block]
    command = [program, f"-{ends[0].version}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Tell of all lines."""
    asked = json.load(sys.stdin)
    probe = Probe(asked["block"])
    print(json.dumps([probe.tell(line, asked.get("after", [])) for line in asked["lines"]]))


if __name__ == "__main__":
    main()
