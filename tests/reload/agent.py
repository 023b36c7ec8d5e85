"""Runs pairs of random configurations on a host of the lab, and compares a reload with a fresh
start: `python -m reload.agent FIRST_SEED COUNT`. One line of JSON for each pair.

For each: start with the one, apply the other, stop; start with the other, stop. After `apply` the
kernel has what it has after the fresh start; what both configurations hold was not touched; after
each stop the host is as it was.
"""

import json
import re
import socket
import subprocess
import sys
import time
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from pyroute2.netlink.rtnl import (
    RTM_DELADDR,
    RTM_DELROUTE,
    RTM_DELRULE,
    RTM_NEWROUTE,
    RTM_NEWRULE,
)
from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from fastvrrp import Config, Engine, State
from fastvrrp.host.routes import route_key
from fastvrrp.host.rules import rule_key
from reload.worlds import INTERFACES, pair

SETTLE_S = 5.0
_GROUPS = 0x10 | 0x100 | 0x40 | 0x400 | 0x8 | 0x80000
_VOLATILE = re.compile(r"(valid|preferred)_lft \S+|expires \S+")


def ip(*words: str) -> list[str]:
    """Return the lines of ip(8), without what passes by."""
    text = subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout
    return [_VOLATILE.sub("", line).strip() for line in text.splitlines()]


def firewall() -> list[str]:
    """Return the words of all tables: elements of sets come in any order."""
    done = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True)
    return sorted(re.findall(r"[^\s,]+", done.stdout))


def parameters(interface: str) -> list[str]:
    """Return the kernel parameters of IPv4 of an interface."""
    directory = Path("/proc/sys/net/ipv4/conf", interface)
    return [f"{file.name} {file.read_text().strip()}" for file in sorted(directory.iterdir())]


def kernel() -> dict[str, Any]:
    """Return what the kernel has."""
    found: dict[str, Any] = {
        "addresses": sorted(
            f"{line.split(': ', 1)[1]}" for line in ip("-o", "address", "show") if ": " in line
        ),
        "firewall": firewall(),
        "rules": ip("rule", "show") + ip("-6", "rule", "show"),
    }
    links = (line.split() for line in ip("-br", "link", "show"))
    found["links"] = sorted(
        f"{name.partition('@')[0]} {state} {mac}" for name, state, mac, *_ in links
    )
    found["parameters"] = {name: parameters(name) for name in INTERFACES}
    for family in ("-4", "-6"):
        routes = ip("-d", family, "route", "show", "table", "all")
        found[f"routes {family}"] = sorted(routes)
    found["groups"] = {name: sorted(ip("maddress", "show", "dev", name)) for name in INTERFACES}
    for name in ("raw", "raw6"):
        lines = Path("/proc/net", name).read_text().splitlines()
        found[name] = sorted(line.split()[1] for line in lines[1:])
    return found


def steady() -> dict[str, Any]:
    """Return what the kernel has when it has come to rest: it completes IPv6 addresses later."""
    before = kernel()
    while (now := kernel()) != before:
        before = now
    return now


def settle(engine: Engine, config: Config) -> dict[str, State]:
    """Run until every owner that may be is active; return the states."""
    owners = {one.name for one in config.instances if one.priority == 255}
    deadline = time.monotonic() + SETTLE_S
    while True:
        engine.process()
        states = {one.name: one.state for one in engine.snapshot().instances}
        waiting = {State.INIT} if owners else set()
        if all(states[name] not in {State.BACKUP, *waiting} for name in owners):
            return states
        if time.monotonic() > deadline:
            raise AssertionError(f"owners do not settle: {states}")


class News:
    """What the kernel tells of addresses, routes and rules from now on."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        self._socket.bind((0, _GROUPS))

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def keys(self) -> set[tuple[object, ...]]:
        """Return the keys of all that was added or removed."""
        marshal = MarshalRtnl()
        found: set[tuple[object, ...]] = set()
        while True:
            try:
                data = self._socket.recv(1 << 17)
            except BlockingIOError:
                return found
            found |= {key for one in marshal.parse(data) if (key := _key(one)) is not None}


def _key(message: Any) -> tuple[object, ...] | None:  # noqa: ANN401 - one of pyroute2
    kind = message["header"]["type"]
    if kind == RTM_DELADDR:  # when a primary address goes, the kernel tells of the next one anew
        text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        return ("address", message["index"], ip_interface(f"{text}/{message['prefixlen']}"))
    if kind in (RTM_NEWROUTE, RTM_DELROUTE):
        return route_key(message)
    return rule_key(message) if kind in (RTM_NEWRULE, RTM_DELRULE) else None


def held(engine: Engine) -> dict[tuple[object, ...], object]:
    """Return what active routers hold, by what makes them the same router after a reload."""
    return {
        (
            one.config.vrid,
            one.config.interface,
            one.config.family,
            one.config.vmac is None,
            key,
        ): holding
        for one in engine._fleet.routers
        if one.state is State.ACTIVE
        for key, holding in one.placement.held.items()
    }


def compare(what: str, one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the differences in words."""
    return [
        f"{what}: {key}: only {_beyond(one[key], other[key])}, not {_beyond(other[key], one[key])}"
        for key in one
        if one[key] != other[key]
    ]


def _beyond(one: Any, other: Any) -> object:  # noqa: ANN401 - lines, or something smaller
    if isinstance(one, dict):
        return {key: _beyond(one[key], other[key]) for key in one if one[key] != other[key]}
    return [line for line in one if line not in other] if isinstance(one, list) else one


def run(seed: int) -> list[str]:
    """Return what is wrong with one pair."""
    before, after = (config.checked() for config in pair(seed))
    if not before.instances or not after.instances:
        return []
    wrong: list[str] = []
    pristine = steady()
    with Engine(before) as engine:
        settle(engine, before)
        old = held(engine)
        steady()
        news = News()
        engine.apply(after)
        states = settle(engine, after)
        new = held(engine)
        reloaded = steady()
        events = news.keys()
        news.close()
    kept = {who[-1] for who, holding in new.items() if old.get(who) == holding}
    if kept & events:
        wrong.append(f"touched in vain: {sorted(map(str, kept & events))}")
    wrong += compare("after the stop", steady(), pristine)
    with Engine(after) as engine:
        fresh_states = settle(engine, after)
        fresh = steady()
    if states != fresh_states:
        wrong.append(f"states: {states} are not {fresh_states}")
    wrong += compare("reload and fresh start", reloaded, fresh)
    wrong += compare("after the second stop", steady(), pristine)
    return wrong


def main(first: int, count: int) -> int:
    """Run the pairs; returns the exit status."""
    failed = 0
    for seed in range(first, first + count):
        try:
            wrong = run(seed)
        except Exception as error:
            wrong = [f"{type(error).__name__}: {error}"]
        print(json.dumps({"seed": seed, "wrong": wrong}), flush=True)
        failed += bool(wrong)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
