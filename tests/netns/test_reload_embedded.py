"""`Engine.apply()` in a program: what the program is told, and what a bad configuration does."""

import sys
from collections.abc import Iterator

import pytest

from lab import Host, Lab

pytestmark = pytest.mark.netns

HEAD = """
import time
from fastvrrp import Engine, FastVrrpError, State, loads

def config(*instances):
    return loads("".join(
        "vrrp_instance %s {\\n interface %s\\n virtual_router_id %d\\n priority 255\\n"
        " virtual_ipaddress {\\n %s\\n }\\n}\\n"
        % (name, interface, vrid, "\\n ".join(addresses))
        for name, interface, vrid, *addresses in instances
    ))

def settle(engine):
    deadline = time.monotonic() + 10
    engine.process()
    while any(one.state is not State.ACTIVE for one in engine.snapshot().instances):
        engine.process()
        assert time.monotonic() < deadline, engine.snapshot()

class Manager:
    def install(self, instance):
        print("install", instance.name, *(vip.address for vip in instance.addresses))

    def withdraw(self, instance):
        print("withdraw", instance.name, *(vip.address for vip in instance.addresses))
"""

MANAGED = f"""{HEAD}
A = ("A", "eth0", 1, "10.9.0.100/24", "10.9.0.101/24")
with Engine(config(A, ("B", "eth0", 2, "10.9.0.110/24")), host=Manager()) as engine:
    engine.subscribe(lambda c: print(c.instance, c.old.name, c.new.name, c.text))
    def again(change):
        if change.text == "a new configuration ends it" and change.instance == "B":
            try:
                engine.apply(config(A))
            except FastVrrpError as error:
                print(error)
    engine.subscribe(again)
    settle(engine)
    print("-- other addresses; B ends")
    engine.apply(config(("A", "eth0", 1, "10.9.0.101/24", "10.9.0.102/24")))
    settle(engine)
    print("-- another router of the same name")
    engine.apply(config(("A", "eth0", 3, "10.9.0.102/24")))
    settle(engine)
    print("-- stop")
"""

REFUSED = f"""{HEAD}
import subprocess
def addresses():
    return subprocess.run(["ip", "-o", "-4", "address"], capture_output=True, text=True).stdout

good = config(("A", "eth0", 1, "10.9.0.100/24"))
with Engine(good) as engine:
    settle(engine)
    before, counters = addresses(), engine.snapshot()["A"].counters
    for bad in (
        lambda: config(("A", "eth0", 1, "10.9.0.100/24"), ("B", "eth7", 2, "10.9.0.101/24")),
        lambda: config(("A", "eth0", 1, "10.9.0.100/24"), ("B", "eth0", 1, "10.9.0.101/24")),
        lambda: config(),
        lambda: loads("vrrp_instance A {{"),
    ):
        try:
            engine.apply(bad())
        except FastVrrpError as error:
            print("refused:", str(error).splitlines()[0])
        assert addresses() == before
        assert [one.name for one in engine.snapshot().instances] == ["A"]
    engine.apply(good)
    assert addresses() == before
    assert engine.snapshot()["A"].counters == counters, engine.snapshot()["A"].counters
"""


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        yield lab.host("appliance", "10.9.0.1/24")


def test_who_manages_addresses_is_told_what_a_reload_changes(host: Host) -> None:
    """Given an engine whose addresses the program sets, when a configuration changes some, ends a
    router and makes another one of it, then the program hears of each address once."""
    assert host.run(sys.executable, "-c", MANAGED).splitlines() == [
        "install A 10.9.0.100/24 10.9.0.101/24",
        "A INIT ACTIVE this router owns the address (priority 255)",
        "install B 10.9.0.110/24",
        "B INIT ACTIVE this router owns the address (priority 255)",
        "-- other addresses; B ends",
        "withdraw B 10.9.0.110/24",
        "B ACTIVE INIT a new configuration ends it",
        "a configuration is being applied: apply the next one later",
        "withdraw A 10.9.0.100/24",
        "install A 10.9.0.102/24",
        "-- another router of the same name",
        "withdraw A 10.9.0.101/24 10.9.0.102/24",
        "A ACTIVE INIT a new configuration ends it",
        "install A 10.9.0.102/24",
        "A INIT ACTIVE this router owns the address (priority 255)",
        "-- stop",
        "withdraw A 10.9.0.102/24",
        "A ACTIVE INIT stop",
    ]


def test_a_configuration_that_cannot_run_changes_nothing(host: Host) -> None:
    """Given an active router, when configurations are applied that cannot run, then each is refused
    with its reason and the router holds on; its own configuration again changes nothing."""
    said = host.run(sys.executable, "-c", REFUSED).splitlines()
    assert [line.partition(": ")[0] for line in said] == ["refused"] * 4
    for line, part in zip(
        said, ("eth7", "virtual_router_id 1", "no vrrp_instance", ""), strict=True
    ):
        assert part in line


def test_a_program_that_fails_to_follow_a_reload_does_not_stop_it(host: Host) -> None:
    """Given a host and a subscriber that raise, when a configuration ends an active router, then
    all of it is applied and both failures are counted."""
    script = f"""{HEAD}
class Failing(Manager):
    def withdraw(self, instance):
        raise RuntimeError("no")

def fail(change):
    raise RuntimeError("no")

A = ("A", "eth0", 1, "10.9.0.100/24")
with Engine(config(A, ("B", "eth0", 2, "10.9.0.110/24")), host=Failing()) as engine:
    settle(engine)
    engine.subscribe(fail)
    generation = engine.generation
    engine.apply(config(A))
    print([one.name for one in engine.snapshot().instances], engine.errors)
    assert engine.generation != generation
"""
    lines = host.run(sys.executable, "-c", script).splitlines()
    assert lines[2:] == ["['A'] 2"]


def test_a_change_that_is_taken_back_leaves_what_is_tracked(host: Host) -> None:
    """Given a router that tracks a file, when a configuration without it fails at the last moment,
    then the router goes by the file still."""
    script = f"""{HEAD}
from fastvrrp.errors import EngineError
from fastvrrp.routers.fleet import Draft

def fail(draft, groups):
    raise EngineError("at the last moment")

PLAIN = (
    "vrrp_instance A {{\\n interface eth0\\n virtual_router_id 1\\n"
    " virtual_ipaddress {{\\n 10.9.0.100\\n }}\\n%s}}\\n"
)
FILE = "vrrp_track_file load {{\\n file /run/load\\n}}\\n"
USE = "track_file {{\\n load weight 1\\n}}\\n"
def priority(number):
    with open("/run/load", "w") as file:
        file.write(str(number))
    deadline = time.monotonic() + 10
    while engine.snapshot()["A"].effective_priority != 100 + number:
        engine.process()
        assert time.monotonic() < deadline, engine.snapshot()

with Engine(loads(FILE + PLAIN % USE)) as engine:
    priority(7)
    Draft._step = fail
    try:
        engine.apply(loads(PLAIN % ""))
    except EngineError as error:
        print(error)
    priority(9)
    print(engine.snapshot()["A"].explanation)
"""
    assert host.run(sys.executable, "-c", script).splitlines() == [
        "at the last moment",
        "100 base + 9 load = 109",
    ]
