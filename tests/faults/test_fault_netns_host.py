"""A host that stands still, is starved or interrupted, and what becomes of connections: rows 26,
27, 37, 61, 102 and 105 of docs/faults.md, with real processes."""

import os
import socket
import sys

import pytest

from fastvrrp.names import RejectReason
from faults.attacker import AdvertWatch, Attacker
from faults.pair import (
    DOWN_100_S,
    INTERVAL_S,
    SCHEDULING_S,
    VIP,
    Pair,
    signal_worker,
    wait,
)
from lab import Advert, Arp, Exited, Host, Lab, LogLine

pytestmark = pytest.mark.netns

ETHERNET = 14
AH = "version 2\n authentication {\n auth_type AH\n auth_pass secret\n }"


def test_fault_026_stopped_master_is_replaced_and_reasserts_itself(lab: Lab) -> None:
    """Given a pair, when the master is stopped (SIGSTOP) for 1 s, then the backup takes over within
    its Active_Down_Interval; when it goes on, then it sends one advert at once (the next may
    be due soon: its timer goes by the backup's last advert), and one burst of ARP, and the backup
    lets go."""
    pair = Pair(lab)
    stopped = lab.now()
    signal_worker(pair.a.host, "STOP")
    pair.added("b", stopped)
    first = lab.first(Advert, lambda e: e.host == "b", timeout=1)
    last = lab.events(Advert, lambda e: e.host == "a")[-1]
    assert DOWN_100_S * 0.99e9 <= first.at - last.at <= (DOWN_100_S + SCHEDULING_S) * 1e9
    wait(lab, 1 - (lab.now() - stopped) / 1e9)
    continued = lab.now()
    signal_worker(pair.a.host, "CONT")
    released = pair.removed("b", continued)
    pair.adverts(2)
    sent = lab.events(Advert, lambda e: e.host == "a" and e.at > continued)
    assert released.at - sent[0].at <= 2 * SCHEDULING_S * 1e9
    at_once = [e.priority for e in sent if e.at < sent[0].at + INTERVAL_S * 0.9e9]
    assert at_once in ([200], [200, 200])
    assert 1 <= len(lab.events(Arp, lambda e: e.host == "a" and e.at > continued)) <= 10
    assert pair.changes(continued) == ["b: Entering BACKUP STATE"]


def test_fault_027_stopped_backup_does_not_take_over(lab: Lab) -> None:
    """Given a pair, when the backup is stopped for 1 s, more than its Active_Down_Interval, then it
    reads what waits in its socket before it looks at its timer."""
    pair = Pair(lab)
    stopped = lab.now()
    signal_worker(pair.b.host, "STOP")
    pair.adverts(10)
    signal_worker(pair.b.host, "CONT")
    pair.adverts(5)
    assert pair.changes(stopped) == []
    assert len(lab.events(Advert, lambda e: e.host == "b")) == 0
    assert lab.events(LogLine, lambda e: e.at > stopped and "stood still" in e.text) == []


def test_fault_037_starved_of_cpu(lab: Lab) -> None:
    """Given a master on one CPU with four programs that never stop, then its adverts are less than
    100 ms late, and nobody takes over."""
    pair = Pair(lab)
    host = pair.a.host
    cpu = str(max(os.sched_getaffinity(0)))
    host.run("sh", "-c", f"for f in /run/*.pid; do taskset -a -c -p {cpu} $(cat $f); done")
    began = lab.now()
    for _ in range(4):
        host.popen("taskset", "-c", cpu, sys.executable, "-ISc", BUSY)
    lab.wait_for(lambda: len(lab.events(LogLine, lambda e: e.text == "busy")) == 4, timeout=5)
    with AdvertWatch(lab, host) as watch:
        gaps = watch.gaps(2)
    assert len(gaps) >= 9
    assert max(gaps) < INTERVAL_S + 0.1
    assert pair.changes(began) == []


def test_fault_061_recorded_adverts_after_a_restart_of_the_daemon(lab: Lab) -> None:
    """Given AH, and adverts of a master that were recorded, when it dies, the backup's daemon is
    started anew, and the record is played to it once a second, then it takes over in its
    Active_Down_Interval (3.02 s) all the same."""
    pair = Pair(lab, AH, priorities=(254, 250))
    attacker = lab.host("attacker", "10.9.0.66/24")
    pair.adverts(4)
    recorded = [e.frame for e in lab.events(Advert, lambda e: e.host == "a" and e.auth == "ah")]
    pair.a.host.power_off()
    pair.b.stop()
    ended = lab.first(Exited, lambda e: e.host == "b", timeout=5)
    pair.b.start()
    began = lab.first(
        LogLine, lambda e: e.host == "b" and "BACKUP STATE" in e.text, after=ended.at, timeout=5
    ).at
    with Attacker(attacker) as wire:
        for frame in recorded[-4:-1]:
            wire.send_packets([frame[ETHERNET:]])
            wait(lab, 0.9)
    assert pair.added("b", began).at - began <= (3 + 6 / 256 + SCHEDULING_S) * 1e9
    refused = lab.events(
        LogLine, lambda e: e.at > began and RejectReason.AUTH_REPLAY.text in e.text
    )
    assert len(refused) == 1


BUSY = """
print("busy", flush=True)
while True:
    pass
"""
STORM = """
import os, signal, sys, time
pids = [int(open(f"/run/router{end}.pid").read()) for end in ("", "-vrrp")]
end, sent = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < end:
    for pid in pids:
        os.kill(pid, signal.SIGWINCH)
        os.kill(pid, signal.SIGCHLD)
        os.kill(pid, signal.SIGCONT)
    sent += 1
    if sent % 50 == 0:
        for number in (signal.SIGSTOP, signal.SIGCONT):
            os.kill(pids[1], number)
    time.sleep(0.0001)
print("rounds", sent)
"""


def test_fault_102_storm_of_signals(lab: Lab) -> None:
    """Given a pair, when both processes of the master are sent thousands of signals a second, some
    of which end every system call that waits, then its adverts keep their interval, and nothing is
    said."""
    pair = Pair(lab)
    began = lab.now()
    storm = pair.a.host.popen(sys.executable, "-ISc", STORM, "2")
    with AdvertWatch(lab, pair.a.host) as watch:
        gaps = watch.gaps(2)
    end = lab.first(Exited, lambda e: e.process == storm.name, after=began, timeout=5)
    assert end.status == 0
    assert int(storm.output.lines[0].split()[1]) > 2000
    assert len(gaps) >= 18
    assert max(gaps) <= 3 * INTERVAL_S  # nobody would take over
    ours = lab.events(LogLine, lambda e: e.at > began and e.process == "fastvrrpd")
    assert [e.text for e in ours] == []


# ---- connections ----

SERVER = """
import socket
with socket.create_server(("0.0.0.0", 80)) as server:
    print("serving", flush=True)
    while True:
        connection, _ = server.accept()
        connection.sendall(connection.recv(100))
        kept = connection
"""
FIREWALL = """
table inet filter {
 counter invalid { }
 counter cut { }
 chain input {
  type filter hook input priority 0; policy accept;
  ct state invalid counter name invalid drop
  ct state new tcp flags & (fin | syn | rst | ack) != syn counter name cut reject with tcp reset
 }
}
"""


def test_fault_105_connections_across_a_failover(lab: Lab) -> None:
    """Given a firewall on both routers that follows connections, and a client that is connected to
    the virtual address, when the other router takes over, then it resets the connection with the
    client's next packet, once, new ones are accepted at once, and nothing is invalid. (It is the
    hooks that may move the table of connections before.)"""
    pair = Pair(lab)
    client = lab.host("client", "10.9.0.50/24")
    for router in (pair.a, pair.b):
        router.host.run("nft", "-f", "-", stdin=FIREWALL)
        router.host.popen(sys.executable, "-ISc", SERVER)
    lab.wait_for(lambda: len(lab.events(LogLine, lambda e: e.text == "serving")) == 2, timeout=5)
    with connected(client) as old:
        died = lab.now()
        pair.a.host.power_off()
        pair.added("b", died)
        lab.first(Arp, lambda e: e.host == "b" and e.sender == VIP, after=died, timeout=2)
        old.sendall(b"more")
        with pytest.raises(ConnectionResetError):
            old.recv(100)
    connected(client).close()
    assert counted(pair.b.host, "cut") == 1
    assert counted(pair.b.host, "invalid") == 0


def connected(client: Host) -> socket.socket:
    """Return a connection to the virtual address, over which something went both ways."""
    connection = client.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(3)
    connection.connect((VIP, 80))
    connection.sendall(b"hello")
    assert connection.recv(100) == b"hello"
    return connection


def counted(host: Host, counter: str) -> int:
    """Return how many packets a rule of the firewall has met."""
    words = host.run("nft", "list", "counter", "inet", "filter", counter).split()
    return int(words[words.index("packets") + 1])
