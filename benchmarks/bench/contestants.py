"""The daemons that are compared, and the configuration that both run."""

import itertools
import shlex
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import fastvrrp
from lab import Host, LabError, Process, find_program

VIP = "10.0.0.100"
VRID = 51
_SOURCE = Path(fastvrrp.__file__).parents[1]
_starts = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One daemon: its name in the report and the command that keepalived's options are added to.

    `global_defs` are lines of that block which only this contestant gets.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    global_defs: str = ""

    def start(self, host: Host, config: str) -> Process:
        """Start the daemon in the foreground on `host`, without details in the log.

        Files are new each time: the pid file of a killed daemon may name a process that is not
        reaped yet, and then keepalived takes itself for running already.
        """
        name = f"/run/bench-{next(_starts)}"
        path = f"{name}.conf"
        text = f"global_defs {{\nscript_user root\n{self.global_defs}\n}}\n{config}"
        host.run("sh", "-c", f"cat > {path}", stdin=text)  # which may be large
        files = ("-p", f"{name}.pid", "-r", f"{name}-vrrp.pid")
        return host.popen(
            *self.command, "-f", path, "-n", "-l", "-P", "-G", *files, env=self.environment
        )


def fastvrrpd(command: str | None) -> Contestant:
    """Ours: `command`, or the daemon of the fastvrrp that is imported here."""
    if command:
        return Contestant(name="fastvrrpd", command=tuple(shlex.split(command)))
    module = (sys.executable, "-m", "fastvrrp.daemon")
    return Contestant(name="fastvrrpd", command=module, environment={"PYTHONPATH": str(_SOURCE)})


def keepalived(command: str | None) -> Contestant | None:
    """The peer: `command`, or the keepalived of the system; None when it is not installed."""
    try:
        return Contestant(name="keepalived", command=(find_program(command or "keepalived"),))
    except LabError:
        return None


def with_realtime(contestant: Contestant) -> Contestant:
    """Return keepalived as an operator may tune it: in the real-time class, as ours is."""
    return replace(
        contestant, name=f"{contestant.name} rt", global_defs="vrrp_rt_priority 1\nvrrp_no_swap"
    )


def busy_cold_side(*, scripts: int) -> str:
    """Return configuration that keeps the slow part of a daemon at work: `scripts` scripts that run
    every 100 ms, and an instance that fails and recovers every other second, with hooks."""
    checks = "".join(
        f"""
vrrp_script check_{number} {{
    script "/bin/sleep 0.05"
    interval 0.1
}}
"""
        for number in range(scripts)
    )
    uses = " ".join(f"check_{number}\n" for number in range(scripts))
    return f"""{checks}
vrrp_script flap {{
    script "/bin/sh -c 'exit $(( $(date +%s) / 2 % 2 ))'"
    interval 0.1
}}
vrrp_instance FLAP {{
    state BACKUP
    interface eth0
    virtual_router_id {VRID + 1}
    version 3
    priority 100
    advert_int 0.1
    virtual_ipaddress {{
        10.0.0.101/24
    }}
    track_script {{
        flap
        {uses}
    }}
    notify_master /bin/true
    notify_backup /bin/true
    notify_fault /bin/true
    notify /bin/true
}}
"""


def instance(*, priority: int, interval_s: float) -> str:
    """Return a `vrrp_instance` with one address, version 3."""
    return f"""
vrrp_instance BENCH {{
    state BACKUP
    interface eth0
    virtual_router_id {VRID}
    version 3
    priority {priority}
    advert_int {interval_s:g}
    virtual_ipaddress {{
        {VIP}/24
    }}
}}
"""
