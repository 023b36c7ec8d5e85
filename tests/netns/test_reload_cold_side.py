"""What a reload is to scripts: verdicts that are known count on, and nobody is told of a state that
has not changed."""

import sys

import pytest

from lab import Lab

pytestmark = pytest.mark.netns

PROGRAM = """
import select
import sys
from pathlib import Path

from fastvrrp import Engine, State, loads

SAY = Path("/tmp/say")
SAY.write_text('#!/bin/sh\\necho "$@" >> /tmp/told\\n')
SAY.chmod(0o755)
TOLD = Path("/tmp/told")
TOLD.touch()

def instance(name, vrid, more=""):
    return f'''
vrrp_instance {name} {{
    interface eth0
    version 3
    virtual_router_id {vrid}
    advert_int 0.1
    notify "/tmp/say" root
    virtual_ipaddress {{
        10.9.0.10{vrid}/24
    }}
    {more}
}}'''

def script(weight):
    return f'''
vrrp_script chk {{
    script "/bin/true" root
    interval 1000
    weight {weight}
}}'''

def until(condition):
    while not condition():
        select.select([engine], [], [], 1)
        engine.process()

def seen():
    return {one.name: (one.state, one.effective_priority) for one in engine.snapshot().instances}

TRACK = "track_script { \\n chk \\n }"
before = loads(script(10) + instance("KEPT", 1, TRACK) + instance("GONE", 2)
    + instance("TOLD", 3, 'notify_deleted "/tmp/say deleted" root'))
after = loads(script(20) + instance("KEPT", 1, TRACK) + instance("NEW", 4, TRACK))

with Engine(before) as engine:
    until(lambda: {state for state, _ in seen().values()} == {State.ACTIVE})
    until(lambda: seen()["KEPT"] == (State.ACTIVE, 110))
    until(lambda: TOLD.read_text().count("MASTER") == 3)
    TOLD.write_text("")
    engine.apply(after)
    assert seen()["KEPT"] == (State.ACTIVE, 120), seen()
    assert seen()["NEW"][1] == 120, seen()
    until(lambda: "NEW MASTER" in TOLD.read_text() and "deleted" in TOLD.read_text())
    until(lambda: "GONE" in TOLD.read_text() and "DELETED" in TOLD.read_text())
    lines = TOLD.read_text().splitlines()
    TOLD.write_text("")
print("\\n".join(sorted(lines)))
print("then:")
print("\\n".join(sorted(TOLD.read_text().splitlines())))
"""


def test_scripts_know_what_has_changed_and_nothing_else(lab: Lab) -> None:
    """Given three masters, when a reload removes two, adds one and changes the weight of a script
    that would run in a quarter of an hour, then the one that stays is not told of anything, its
    script's verdict counts with the new weight, for the new one as well, and the two that are gone
    are told so as their configuration says."""
    host = lab.host("r1", "10.9.0.1/24")
    printed = host.run(sys.executable, "-c", PROGRAM, timeout=30)
    assert printed.splitlines() == [
        "INSTANCE GONE FAULT 100",
        "INSTANCE NEW BACKUP 120",
        "INSTANCE NEW MASTER 120",
        "INSTANCE TOLD DELETED 100",
        "deleted",
        "then:",
        "INSTANCE KEPT STOP 120",
        "INSTANCE NEW STOP 120",
    ]
