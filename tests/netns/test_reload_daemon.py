"""Reload by SIGHUP, and what is left when processes are killed: the whole daemon on the real
kernel."""

import json
import re
import sys
from pathlib import PurePath

import pytest

from faults.attacker import AdvertWatch
from lab import AddressAdded, AddressRemoved, Advert, Exited, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

VIP, OTHER = "10.9.0.100", "10.9.0.101"
INTERVAL_S = 0.1
JOURNAL = "/run/router-vrrp.pid.journal"
BUSY_S = 0.05
"""What a busy machine may take to run a thread that has nothing but its turn to wait for."""


FAST = f"version 3\n advert_int {INTERVAL_S:g}"


def config(priority: int = 200, *, vips: tuple[str, ...] = (VIP,), kind: str = FAST) -> str:
    addresses = "\n".join(f"  {vip}/24" for vip in vips)
    return f"""
vrrp_instance VI_1 {{
 interface eth0
 virtual_router_id 51
 priority {priority}
 {kind}
 virtual_ipaddress {{
{addresses}
 }}
}}
"""


def started(lab: Lab, host: Host, text: str) -> Router:
    router = Router(host, text, program="fastvrrpd")
    begin = lab.now()
    router.start()
    lab.first(
        AddressAdded, lambda e: (e.host, e.address) == (host.name, VIP), after=begin, timeout=8
    )
    return router


def reload(lab: Lab, router: Router) -> str:
    """Send SIGHUP and wait for the outcome, which is returned."""
    begin = lab.now()
    signal(router.host, "HUP", "/run/router.pid")
    outcome = re.compile("Reload (complete|refused|failed).*")
    line = lab.first(LogLine, lambda e: outcome.search(e.text) is not None, after=begin, timeout=20)
    found = outcome.search(line.text)
    assert found is not None
    return found[0]


def signal(host: Host, name: str, *files: str) -> None:
    """Send a signal to the processes of pid files, in one moment."""
    host.run("sh", "-c", f"kill -{name} $(cat {' '.join(files)})")


def kill(host: Host, file: str) -> int:
    """kill -9 the process of a pid file; returns when."""
    return int(host.run(sys.executable, "-ISc", KILL, file))


KILL = """
import os, sys, time
pid = int(open(sys.argv[1]).read())
began = time.monotonic_ns()
os.kill(pid, 9)
print(began)
"""


BROKEN = {
    "garbage": ("head -c 4096 /dev/urandom > {}", ""),
    "removed": ("rm {}", "No such file or directory"),
    "empty": (": > {}", "the configuration has no vrrp_instance"),
    "directory": ("rm {0} && mkdir {0}", "Is a directory"),
    "fifo": ("rm {0} && mkfifo {0}", "it is not a regular file"),
    "huge": ("head -c 100M /dev/zero > {}", "the configuration is larger than 8 MiB"),
    "loop": ("echo 'include router.conf' >> {}", "these includes never end"),
    "missing include": ("echo 'includem none.conf' >> {}", "there is no file none.conf"),
    "bad value": ("sed -i s/router_id.51/router_id\\ 510/ {}", "error[FV104]"),
    "typing error": ("sed -i s/virtual_ipaddress/virtual_ipadress/ {}", "unknown keyword"),
}


def test_a_broken_reload_changes_nothing(lab: Lab) -> None:
    """Given a master, when its configuration is broken in ten ways and reloaded, then the log says
    what is wrong, the address was never touched, and no advert was late; when it is whole again,
    then it is taken."""
    host = lab.host("a", "10.9.0.1/24")
    router = started(lab, host, config())
    child = host.run("cat", "/run/router-vrrp.pid")
    begin = lab.now()
    with AdvertWatch(lab, host) as watch:
        for command, why in BROKEN.values():
            host.write(router.path, router.config)
            host.run("sh", "-c", command.format(router.path), timeout=20)
            told = lab.now()
            assert reload(lab, router) == "Reload refused: the running configuration stays"
            lab.wait_for(
                lambda told=told, why=why: [  # type: ignore[misc]
                    e for e in lab.events(LogLine, lambda e: e.at >= told) if why in e.text
                ],
                timeout=2,
            )
            host.run("rm", "-rf", router.path)
        gaps = watch.gaps(0.3)
    assert max(gaps) <= 1.5 * INTERVAL_S
    assert lab.events(AddressRemoved, lambda e: e.host == "a" and e.at > begin) == []
    host.write(router.path, config(vips=(VIP, OTHER)))
    assert reload(lab, router) == "Reload complete"
    lab.first(AddressAdded, lambda e: e.address == OTHER, after=begin, timeout=2)
    assert lab.events(AddressRemoved, lambda e: e.host == "a" and e.at > begin) == []
    assert host.run("cat", "/run/router-vrrp.pid") == child


def test_a_respawned_process_runs_what_was_reloaded(lab: Lab) -> None:
    """Given a reload, and a file that is broken since, when the VRRP process is killed, then its
    successor holds what was reloaded."""
    host = lab.host("a", "10.9.0.1/24")
    router = started(lab, host, config())
    host.write(router.path, config(vips=(VIP, OTHER)))
    assert reload(lab, router) == "Reload complete"
    host.write(router.path, "broken {")
    killed = kill(host, "/run/router-vrrp.pid")
    removed = lab.first(AddressRemoved, lambda e: e.address == OTHER, after=killed, timeout=5)
    lab.first(AddressAdded, lambda e: e.address == OTHER, after=removed.at, timeout=8)
    assert host.holds(VIP)


AH = "version 2\n advert_int 1\n authentication {\n auth_type AH\n auth_pass secret\n }"
HMAC = f"{FAST}\n auth_hmac {{\n key 1 hex:{'0123456789abcdef' * 4}\n active_key 1\n }}"


@pytest.mark.parametrize("kind", [FAST, HMAC, AH], ids=["fast", "hmac", "ah"])
def test_the_parent_resigns_for_a_killed_process(lab: Lab, kind: str) -> None:
    """Given a master and its backup, when the VRRP process of the master is killed, then its parent
    removes the address and sends priority 0 in its name within 50 ms, and the backup believes it:
    it takes over in its skew time instead of its whole Active_Down_Interval."""
    a = started(lab, lab.host("a", "10.9.0.1/24"), config(kind=kind))
    b = Router(lab.host("b", "10.9.0.2/24"), config(100, kind=kind), program="fastvrrpd")
    b.start()
    lab.first(LogLine, lambda e: e.host == "b" and "master set to" in e.text, timeout=8)
    after = lab.now()
    for _ in range(3):  # it has been active for longer than one renewal of what the parent knows
        after = lab.first(Advert, lambda e: e.host == "a", after=after, timeout=3).at
    interval_s = 1 if kind == AH else INTERVAL_S
    pid = host_pid(a.host)
    killed = kill(a.host, "/run/router-vrrp.pid")
    farewell = lab.first(
        Advert, lambda e: (e.host, e.priority) == ("a", 0), after=killed, timeout=5
    )
    removed = lab.first(
        AddressRemoved, lambda e: (e.host, e.address) == ("a", VIP), after=killed, timeout=5
    )
    added = lab.first(AddressAdded, lambda e: (e.host, e.address) == ("b", VIP), timeout=5)
    assert farewell.at - killed <= 50e6
    assert removed.at - killed <= 50e6 + BUSY_S * 1e9
    skew_s = interval_s * 156 / 256
    assert skew_s * 0.99e9 <= added.at - farewell.at <= (skew_s + BUSY_S) * 1e9
    respawned = lab.first(LogLine, lambda e: e.host == "a" and "Respawning" in e.text, timeout=5)
    lab.first(AddressAdded, lambda e: e.host == "a", after=respawned.at, timeout=8)
    lab.first(AddressRemoved, lambda e: e.host == "b", after=respawned.at, timeout=5)
    assert host_pid(a.host) != pid


def host_pid(host: Host) -> str:
    return host.run("cat", "/run/router-vrrp.pid")


def clean(host: Host, *options: str) -> str:
    fastvrrp = str(PurePath(Router(host, "", program="fastvrrpd").program).with_name("fastvrrp"))
    return host.run(fastvrrp, "clean", "-r", "/run/router-vrrp.pid", *options)


def killed_whole(lab: Lab, host: Host, text: str = config()) -> None:
    """Start a daemon that becomes master, and kill both of its processes."""
    started(lab, host, text)
    kill_both(lab, host)
    assert host.holds(VIP)


def kill_both(lab: Lab, host: Host) -> None:
    begin = lab.now()
    Router(host, "", program="fastvrrpd").kill_whole()
    lab.first(Exited, lambda e: e.host == host.name, after=begin, timeout=5)


def test_clean_removes_what_a_killed_daemon_has_left(lab: Lab) -> None:
    host = lab.host("a", "10.9.0.1/24")
    killed_whole(lab, host)
    report = json.loads(clean(host, "--json"))
    assert [text for text in report["undone"] if f"{VIP}/24 dev eth0" in text]
    assert (report["failed"], report["error"]) == ([], None)
    assert f" {VIP}/" not in host.run("ip", "-o", "address")
    assert " 10.9.0.1/24 " in host.run("ip", "-o", "address")
    assert clean(host) == ""


def test_clean_leaves_alone_what_somebody_else_has_set_since(lab: Lab) -> None:
    """Given an address that a killed daemon has left, when an operator sets it himself, then
    neither `clean` nor the next start takes it away from him."""
    host = lab.host("a", "10.9.0.1/24")
    killed_whole(lab, host)
    host.run("ip", "address", "del", f"{VIP}/24", "dev", "eth0")
    host.run("ip", "address", "add", f"{VIP}/24", "dev", "eth0")
    begin = lab.now()
    assert clean(host) == ""
    assert f" {VIP}/24 " in host.run("ip", "-o", "address")
    assert lab.events(AddressRemoved, lambda e: e.address == VIP and e.at > begin) == []


def test_clean_begins_with_interfaces_that_have_a_virtual_mac_address(lab: Lab) -> None:
    """Given a killed master with `use_vmac`, when `clean` runs, then the interface goes first, so
    that nothing answers from it, and the interface below it has its old parameters at the end."""
    host = lab.host("a", "10.9.0.1/24")
    parameters = [f"/proc/sys/net/ipv4/conf/eth0/arp_{name}" for name in ("ignore", "filter")]
    before = host.run("cat", *parameters)
    killed_whole(lab, host, config(kind=f"{FAST}\n use_vmac"))
    assert host.run("cat", *parameters) != before
    undone = json.loads(clean(host, "--json"))["undone"]
    assert undone[0] == "interface vrrp.51"
    assert [text for text in undone if VIP in text] == []  # it went with its interface
    assert host.run("cat", *parameters) == before
    assert f" {VIP}/" not in host.run("ip", "-o", "address")


def test_clean_removes_static_entries_that_were_set_later(lab: Lab) -> None:
    """Given static entries on an interface that comes after the start, when all is killed, then
    `clean` knows of them."""
    host = lab.host("a", "10.9.0.1/24")
    statics = "static_ipaddress {\n 10.7.0.1/24 dev late\n}\n"
    statics += "static_routes {\n 10.8.0.0/24 via 10.7.0.9 dev late\n}\n"
    started(lab, host, statics + config())
    begin = lab.now()
    host.run("ip", "link", "add", "late", "up", "type", "veth", "peer", "late-peer")
    host.run("ip", "link", "set", "late-peer", "up")
    lab.first(AddressAdded, lambda e: e.address == "10.7.0.1", after=begin, timeout=5)
    lab.wait_for(lambda: "10.8.0.0/24" in host.run("ip", "route"), timeout=5)
    lab.wait_for(lambda: "10.8.0.0/24" in host.run("cat", JOURNAL), timeout=5)
    kill_both(lab, host)
    undone = json.loads(clean(host, "--json"))["undone"]
    assert [text for text in undone if "10.7.0.1/24 dev late" in text]
    assert "10.7.0.1/24" not in host.run("ip", "-o", "address")


def test_the_next_start_removes_what_a_killed_daemon_has_left(lab: Lab) -> None:
    """Given a daemon that was killed whole, when it is started with another configuration, which
    does not know the address, then the address is removed before anything else."""
    host = lab.host("a", "10.9.0.1/24")
    killed_whole(lab, host)
    again = Router(host, config(vips=(OTHER,)), program="fastvrrpd")
    begin = lab.now()
    again.start()
    removed = lab.first(AddressRemoved, lambda e: e.address == VIP, after=begin, timeout=5)
    lab.first(AddressAdded, lambda e: e.address == OTHER, after=removed.at, timeout=8)


def test_a_killed_parent_takes_its_process_along_which_resigns(lab: Lab) -> None:
    host = lab.host("a", "10.9.0.1/24")
    started(lab, host, config())
    begin = kill(host, "/run/router.pid")
    lab.first(Advert, lambda e: e.priority == 0, after=begin, timeout=5)
    lab.first(AddressRemoved, lambda e: e.address == VIP, after=begin, timeout=5)
    lab.wait_for(lambda: "fastvrrpd" not in host.run("ps", "-eo", "comm"), timeout=5)
    assert clean(host) == ""


NOTIFY = '#!/bin/sh\necho "$@" > /run/state.new && mv /run/state.new /run/state\n'


def test_a_removed_instance_resigns_and_runs_notify_deleted(lab: Lab) -> None:
    """Given two instances, when a reload removes one that is master, then it sends priority 0, its
    address goes, its script runs for DELETED, and the other one sees nothing of it."""
    host = lab.host("a", "10.9.0.1/24")
    host.write("/run/notify.sh", NOTIFY)
    host.run("chmod", "755", "/run/notify.sh")
    second = config(vips=(OTHER,), kind=f"{FAST}\n notify_deleted\n notify /run/notify.sh")
    second = second.replace("VI_1", "VI_2").replace("virtual_router_id 51", "virtual_router_id 52")
    both = "global_defs {\n script_user root\n}\n" + config() + second
    router = started(lab, host, both)
    lab.first(AddressAdded, lambda e: e.address == OTHER, timeout=5)
    begin = lab.now()
    host.write(router.path, "global_defs {\n script_user root\n}\n" + config())
    assert reload(lab, router) == "Reload complete"
    lab.first(Advert, lambda e: (e.vrid, e.priority) == (52, 0), after=begin, timeout=2)
    lab.first(AddressRemoved, lambda e: e.address == OTHER, after=begin, timeout=2)
    lab.wait_for(lambda: "DELETED" in host.run("cat", "/run/state"), timeout=5)
    assert host.run("cat", "/run/state") == "INSTANCE VI_2 DELETED 200\n"
    assert host.holds(VIP)
    assert lab.events(Advert, lambda e: (e.vrid, e.priority) == (51, 0)) == []
