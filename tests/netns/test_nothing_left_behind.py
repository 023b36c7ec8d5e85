"""What a router holds is withdrawn when its place, its configuration or itself is gone, and what is
somebody else's stays."""

import sys
from collections.abc import Iterator

import pytest

from lab import Host, Lab

pytestmark = pytest.mark.netns

HEAD = """
import select, subprocess, time
from fastvrrp import Engine, State, loads

def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout

def instance(name, vrid, *addresses, interface="eth0", more=""):
    return (
        "vrrp_instance %s {\\n interface %s\\n virtual_router_id %d\\n priority 255\\n %s\\n"
        " virtual_ipaddress {\\n %s\\n }\\n}\\n"
        % (name, interface, vrid, more, "\\n ".join(addresses))
    )

def config(*parts):
    return loads("global_defs {\\n dynamic_interfaces\\n}\\n" + "".join(parts))

def until(engine, ready):
    deadline = time.monotonic() + 10
    engine.process()
    while not ready():
        select.select([engine], [], [], 0.1)
        engine.process()
        assert time.monotonic() < deadline, engine.snapshot()

def settle(engine):
    "Take in all that has happened: the kernel has its news ready when ip returns."
    while select.select([engine], [], [], 0)[0]:
        engine.process()

def become(engine, state):
    until(engine, lambda: all(one.state is state for one in engine.snapshot().instances))

def holds(address):
    return f" {address}/" in ip("address")
"""


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        yield lab.host("appliance", "10.9.0.1/24")


def run(host: Host, script: str) -> list[str]:
    return host.run(sys.executable, "-c", HEAD + script).splitlines()


def test_a_router_that_was_removed_puts_nothing_back(host: Host) -> None:
    """Given a router that a reload has removed, and another one in its slot that is active, when
    somebody removes an address that the first one had, then nobody sets it."""
    script = """
A, B = instance("A", 1, "10.9.0.100/24"), instance("B", 2, "10.9.0.110/24")
with Engine(config(A, B)) as engine:
    become(engine, State.ACTIVE)
    slot = engine._fleet.named("A").slot
    engine.apply(config(B))
    engine.apply(config(instance("C", 3, "10.9.0.120/24"), B))
    become(engine, State.ACTIVE)
    assert engine._fleet.named("C").slot == slot
    ip("address", "add", "10.9.0.100/24", "dev", "eth0")
    settle(engine)
    ip("address", "del", "10.9.0.100/24", "dev", "eth0")
    settle(engine)
    print(holds("10.9.0.100"), holds("10.9.0.110"), holds("10.9.0.120"))
"""
    assert run(host, script) == ["False True True"]


def test_what_a_reload_takes_away_is_not_put_back(host: Host) -> None:
    """Given an address that somebody has removed, when a reload takes it away before it is put
    back, then it is not put back."""
    script = """
with Engine(config(instance("A", 1, "10.9.0.100/24", "10.9.0.101/24"))) as engine:
    become(engine, State.ACTIVE)
    settle(engine)
    ip("address", "del", "10.9.0.101/24", "dev", "eth0")
    engine._host.table._on_readable()  # as in the same turn of the loop
    engine.apply(config(instance("A", 1, "10.9.0.100/24")))
    settle(engine)
    print(holds("10.9.0.100"), holds("10.9.0.101"))
"""
    assert run(host, script) == ["True False"]


def test_a_reload_that_takes_the_source_address_leaves_nothing(host: Host) -> None:
    """Given an active router, when a reload makes the only address of its interface a virtual one
    of another router, then it resigns and holds its own address no longer."""
    script = """
A = instance("A", 1, "10.9.0.100/24")
with Engine(config(A)) as engine:
    become(engine, State.ACTIVE)
    engine.apply(config(A, instance("B", 2, "10.9.0.1/24")))
    become(engine, State.FAULT)
    print(holds("10.9.0.100"), engine.snapshot()["A"].counters["priority_zero_sent"])
    engine.apply(config(A))
    become(engine, State.ACTIVE)
    print(holds("10.9.0.100"))
print(holds("10.9.0.100"), holds("10.9.0.1"))
"""
    assert run(host, script) == ["False 1", "True", "False True"]


@pytest.mark.parametrize("comes_back", [False, True], ids=["gone", "another one"])
def test_what_is_elsewhere_goes_with_the_interface(host: Host, *, comes_back: bool) -> None:
    """Given an active router whose address and rule are not on its own interface, when that is
    deleted, or is another one with the same name at once, then both are gone, too."""
    script = """
MORE = "virtual_rules {\\n from 10.9.0.100 lookup 77 priority 555\\n}"
def make():
    ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
def state():
    return engine.snapshot()["A"].state, holds("10.9.0.100"), "lookup 77" in ip("rule")

make()
ip("link", "set", "vb", "up")
ip("link", "set", "va", "up")
ip("address", "add", "10.8.0.1/24", "dev", "va")
parts = instance("A", 1, "10.9.0.100/24 dev eth0", interface="va", more=MORE)
with Engine(config(parts)) as engine:
    become(engine, State.ACTIVE)
    assert state() == (State.ACTIVE, True, True)
    ip("link", "del", "va")
    if COMES_BACK:
        make()
    become(engine, State.FAULT)
    settle(engine)
    print(*state()[1:])
"""
    assert run(host, script.replace("COMES_BACK", str(comes_back))) == ["False False"]


def test_an_address_of_the_operator_stays(host: Host) -> None:
    """Given an address that an operator has set, when a router that names it is active and ends,
    then the address is there still; one that was set by the router and that somebody replaced
    is gone, and so is one that the router had to set when the operator's was removed."""
    script = """
ip("address", "add", "10.9.0.100/24", "dev", "eth0")
ip("address", "add", "10.9.0.102/24", "dev", "eth0")
addresses = [f"10.9.0.{n}/24" for n in (100, 101, 102)]
with Engine(config(instance("A", 1, *addresses))) as engine:
    become(engine, State.ACTIVE)
    settle(engine)
    ip("address", "replace", addresses[1], "dev", "eth0")
    ip("address", "del", addresses[2], "dev", "eth0")
    until(engine, lambda: holds("10.9.0.102"))
    settle(engine)
print(*(holds(f"10.9.0.{n}") for n in (100, 101, 102)))
"""
    assert run(host, script) == ["True False False"]


def test_no_socket_is_closed_that_a_router_sends_with(host: Host) -> None:
    """Given a router whose interface is another one of the same name and number, of which it has
    not heard, when a reload looks at the links and puts another router there, then no socket is
    closed that the hot loop uses, and what the first one holds elsewhere is not lost sight of."""
    script = """
from fastvrrp.routers.sockets import Ports

def make():
    ip("link", "add", "va", "index", "77", "type", "veth", "peer", "name", "vb")
    ip("link", "set", "vb", "up")
    ip("link", "set", "va", "up")
    ip("address", "add", "10.8.0.1/24", "dev", "va")

closed = []
close = Ports._close
def watched(ports, keys):
    keys = list(keys)
    supplies = [one.placement.supply for one in engine._fleet.routers]
    used = {one.key for one in supplies if one is not None and one.prepared.fd >= 0}
    closed.extend((key.interface, key in used) for key in keys)
    close(ports, keys)

make()
A = instance("A", 1, "10.9.0.100/24 dev eth0", interface="va")
with Engine(config(A)) as engine:
    become(engine, State.ACTIVE)
    Ports._close = watched
    ip("link", "del", "va")
    make()
    engine._host.table.catch_up()
    B = instance("B", 2, "10.9.0.110/24 dev eth0", interface="va")
    A = instance("A", 1, "10.9.0.101/24 dev eth0", interface="va")
    engine.apply(config(B, A))
    become(engine, State.ACTIVE)
    settle(engine)
    print(*closed)
    print(*(holds(f"10.9.0.{n}") for n in (100, 101, 110)))
"""
    assert run(host, script) == ["('va', False)", "False True True"]
