"""Run parts of the cold side inside a host of the lab, against its real kernel."""

import json
import sys
from typing import Any

from lab import Host

_PRELUDE = """
import json, logging, select, subprocess, sys, time
from fastvrrp.config import loads
from fastvrrp.host.links import LinkTable
from fastvrrp.reactor import Reactor

def ip(*words, stdin=None):
    done = subprocess.run(["ip", *words], input=stdin, check=True, capture_output=True, text=True)
    return done.stdout

def batch(lines):
    ip("-batch", "-", stdin="\\n".join(lines))

reactor = Reactor()
said = []

class Said(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())

logging.getLogger("fastvrrp").addHandler(Said())
logging.getLogger("fastvrrp").setLevel(logging.INFO)

def settle():
    "Take in all that has happened: the kernel has its news ready when ip returns."
    while select.select([reactor], [], [], 0)[0]:
        reactor.run_once(0)

def wait(ready):
    "Run the reactor until something is so."
    end = time.monotonic() + 5
    while not ready() and time.monotonic() < end:
        reactor.run_once(0.1)
    assert ready(), said

def of_table(table):
    "What a table knows, as `of_ip` has it."
    return {
        link.name: sorted(str(a.interface) for a in table.addresses(link.index))
        for link in table.links()
    }

def of_ip():
    found = json.loads(ip("-j", "address"))
    return {
        link["ifname"]: sorted(f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"])
        for link in found
    }

def result(value):
    print(json.dumps(value))
"""


def run(host: Host, script: str) -> Any:  # noqa: ANN401 - JSON
    """Return what `script` gives to `result()`; it has a `reactor`, what was
    `said` in the log, and the functions above."""
    return json.loads(host.run(sys.executable, "-c", _PRELUDE + script))
