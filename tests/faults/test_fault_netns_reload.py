"""Reloads of files that cannot be used, many reloads, and what a good one changes: rows 75 to 80 of
docs/faults.md."""

import random
from itertools import pairwise

import pytest

from faults.pair import FAST, INTERVAL_S, SCHEDULING_S, TIMEOUT_S, VIP, Pair, config, ip
from lab import AddressAdded, AddressRemoved, Advert, Host, Lab

pytestmark = pytest.mark.netns

CONFIG = "/run/router.conf"
GOOD = config(200, FAST)
OTHER = "10.9.0.101"


def hup(host: Host) -> None:
    """Tell the daemon to read its file again."""
    host.run("sh", "-c", "kill -HUP $(cat /run/router.pid)")


@pytest.fixture
def pair(pair: Pair) -> Pair:
    """The pair, with its file as it was at the start."""
    pair.a.host.run("rm", "-rf", CONFIG)
    pair.a.host.write(CONFIG, GOOD)
    return pair


def stays(pair: Pair, began: int) -> None:
    """See that the master goes on as before: with its address, on time, and nobody changes his
    state."""
    pair.logged("a", "the running configuration stays", after=began, timeout=20)
    pair.adverts(4)
    sent = pair.sent("a", began)
    late = max(later.at - earlier.at for earlier, later in pairwise(sent))
    assert late <= (INTERVAL_S + SCHEDULING_S) * 1e9
    assert pair.changes(began) == []
    assert {e.addresses for e in sent} == {(VIP,)}
    assert gone(pair, began) == []
    assert pair.a.host.holds(VIP)


def gone(pair: Pair, began: int) -> list[str]:
    """Return the addresses that the master lost since then."""
    lost = pair.lab.events(AddressRemoved, lambda e: e.host == "a" and e.at > began)
    return [event.address for event in lost]


def test_fault_075_file_is_garbage(pair: Pair) -> None:
    """Given a pair, when the master's file is 4 kB of random bytes at a reload, then the running
    configuration stays."""
    garbage = random.Random(75).randbytes(4096).decode("latin-1")
    began = pair.lab.now()
    pair.a.host.write(CONFIG, garbage)
    hup(pair.a.host)
    stays(pair, began)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("virtual_router_id 51", "virtual_router_id 510"),
        ("interface eth0", "interface eth7"),
        ("vrrp_instance VI_1", "vrrp_instance"),
    ],
    ids=["vrid", "interface", "name"],
)
def test_fault_076_one_value_is_wrong(pair: Pair, good: str, bad: str) -> None:
    """Given a pair, when one value in the master's file is wrong at a reload, then the running
    configuration stays, and the log has the place."""
    began = pair.lab.now()
    pair.a.host.write(CONFIG, GOOD.replace(good, bad))
    hup(pair.a.host)
    stays(pair, began)
    assert any(f"{CONFIG}:" in text for text in pair.lines("a", began))


@pytest.mark.parametrize(
    "command",
    [
        "rm {}",
        "rm {0}; ln -s router.conf {0}",
        "rm {0}; mkdir {0}",
        "rm {0}; mkfifo {0}",
        "truncate -s 0 {}",
        "truncate -s 100M {}",
        "rm {0}; ln -s /dev/zero {0}",
    ],
    ids=["removed", "unreadable", "directory", "fifo", "empty", "huge", "endless"],
)
def test_fault_077_file_cannot_be_read(pair: Pair, command: str) -> None:
    """Given a pair, when the master's file is removed, cannot be read, or is anything but a file of
    reasonable size at a reload, then the running configuration stays, and nothing waits for it."""
    began = pair.lab.now()
    pair.a.host.run("sh", "-c", command.format(CONFIG))
    hup(pair.a.host)
    stays(pair, began)


RELOADS = 100
STORM = f"p=$(cat /run/router.pid); for i in $(seq {RELOADS}); do kill -HUP $p; sleep 0.02; done"
DESCRIPTORS = "for f in /run/*.pid; do ls /proc/$(cat $f)/fd; done | wc -l"


def test_fault_078_storm_of_reloads(pair: Pair) -> None:
    """Given a pair, when the master is told to reload a hundred times in two seconds, then its
    adverts stay on time, none is sent in addition, and nothing is left open."""
    host = pair.a.host
    before = host.run("sh", "-c", DESCRIPTORS)
    began = pair.lab.now()
    host.popen("sh", "-c", STORM)
    sent = pair.adverts(30)
    pair.lab.wait_for(lambda: host.run("sh", "-c", DESCRIPTORS) == before, TIMEOUT_S)
    gaps = [later.at - earlier.at for earlier, later in pairwise(sent)]
    assert max(gaps) <= (INTERVAL_S + SCHEDULING_S) * 1e9
    assert sum(gaps) >= (len(gaps) - 1) * INTERVAL_S * 1e9
    assert pair.changes(began) == []
    assert gone(pair, began) == []
    assert any("Reload complete" in text for text in pair.lines("a", began))


def test_fault_079_reload_changes_what_is_different(lab: Lab) -> None:
    """Given a pair, when the master's file has another priority, another interval, one address more
    and one less, then each change takes effect, the address that both have is never removed, and
    nobody changes his state."""
    pair = Pair(lab, addresses=f"{VIP}/24\n {OTHER}/24")
    began = lab.now()
    pair.a.host.write(CONFIG, config(150, FAST.replace("0.1", "0.2"), f"{VIP}/24\n 10.9.0.102/24"))
    hup(pair.a.host)
    lab.first(AddressAdded, lambda e: e.address == "10.9.0.102", after=began, timeout=TIMEOUT_S)
    lab.first(AddressRemoved, lambda e: e.address == OTHER, after=began, timeout=TIMEOUT_S)
    after = lab.first(Advert, lambda e: e.priority == 150, after=began, timeout=TIMEOUT_S)
    assert after.interval_ms == 200
    assert after.addresses == (VIP, "10.9.0.102")
    pair.adverts(4)
    assert gone(pair, began) == [OTHER]
    assert pair.changes(began) == []


def test_fault_079_reload_moves_the_router(lab: Lab) -> None:
    """Given a pair, when the master's file has another VRID, then it is another virtual router: it
    resigns from the old one, which the backup takes over, and is elected anew in its own."""
    pair = Pair(lab)
    began = lab.now()
    pair.a.host.write(CONFIG, GOOD.replace("virtual_router_id 51", "virtual_router_id 52"))
    hup(pair.a.host)
    resigned = lab.first(Advert, lambda e: e.priority == 0, after=began, timeout=TIMEOUT_S)
    assert (resigned.host, resigned.vrid) == ("a", 51)
    pair.added("b", began)
    lab.first(Advert, lambda e: e.vrid == 52 and e.host == "a", after=began, timeout=TIMEOUT_S)


def test_fault_079_reload_moves_the_router_to_another_interface(lab: Lab) -> None:
    """Given a pair, when the master's file has another interface, then it resigns on the old one,
    which the backup takes over, and is elected anew on the new one."""
    pair = Pair(lab)
    host = pair.a.host
    ip(host, "link add eth1 type veth peer name far")
    for link in ("eth1", "far"):
        ip(host, f"link set {link} up")
    ip(host, "addr add 10.8.0.1/24 dev eth1")
    index = int(host.run("ip", "-o", "link", "show", "dev", "eth1").partition(":")[0])
    began = lab.now()
    host.write(CONFIG, GOOD.replace("interface eth0", "interface eth1"))
    hup(host)
    lab.first(Advert, lambda e: e.priority == 0, after=began, timeout=TIMEOUT_S)
    pair.removed("a", began)
    pair.added("b", began)
    assert pair.added("a", began).index == index


@pytest.mark.parametrize(
    "text",
    [f"{GOOD}\ninclude {CONFIG}\n", f"includem /run/absent.conf\n{GOOD}"],
    ids=["loop", "missing"],
)
def test_fault_080_include_fails(pair: Pair, text: str) -> None:
    """Given a pair, when the master's file includes itself, or a file that must be there and is
    not, at a reload, then the running configuration stays."""
    began = pair.lab.now()
    pair.a.host.write(CONFIG, text)
    hup(pair.a.host)
    stays(pair, began)
