"""Two hosts that are the same: one gets lines of a configuration, the other the same from ip(8)."""

import json
import sys
from pathlib import Path
from typing import Any

from lab import Host, Lab

__all__ = ["Twins"]

PROBE = Path(__file__).with_name("holding_probe.py")
PREPARE = """
link set eth0 addrgenmode none
address flush dev eth0
link add eth1 type veth peer name eth2
link set eth1 addrgenmode none
link set eth2 addrgenmode none
link set eth1 up
link set eth2 up
address add 10.1.0.1/24 dev eth0
address add 10.2.0.1/24 dev eth1
address add 2001:db8:1::1/64 dev eth0
address add 2001:db8:2::1/64 dev eth1
"""
"""No address of them comes from a MAC address, which are not the same."""

BY_IP = """
import json, subprocess, sys

def run(words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr

found = []
for add, show, remove in json.load(sys.stdin):
    code, _, complaint = run(add)
    found.append([complaint, run(show)[1]])
    if code == 0:
        run(remove)
print(json.dumps(found))
"""


class Twins:
    """Sets lines in both."""

    def __init__(self, lab: Lab) -> None:
        self.ours = lab.host("ours")
        self.theirs = lab.host("theirs")
        for host in (self.ours, self.theirs):
            host.run("ip", "-batch", "-", stdin=PREPARE)

    def tell(self, block: str, lines: list[str], **more: object) -> list[dict[str, Any]]:
        """Return what became of each line, see `holding_probe.Probe.tell`."""
        asked = json.dumps({"block": block, "lines": lines, **more})
        return list(json.loads(_python(self.ours, str(PROBE), stdin=asked)))

    def by_ip(self, commands: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
        """Return what ip(8) complains about, and what it shows, of commands that add, show and
        remove."""
        asked = json.dumps([[one.split() for one in words] for words in commands])
        return [(a, b) for a, b in json.loads(_python(self.theirs, "-c", BY_IP, stdin=asked))]


def _python(host: Host, *argv: str, stdin: str) -> str:
    return host.run(sys.executable, *argv, stdin=stdin, timeout=60)
