"""What the network does to adverts, and what strangers send: rows 40-64 of docs/faults.md that need
no kernel.

Sent by strangers is what they could send: adverts that are right but for what the row says.
"""

import pytest
from scenery import DELAY, DOWN_100, DOWN_200, SKEW_100, Pair, Settings, entries, pair, states

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.core.acts import HmacParams
from fastvrrp.names import Condition, State
from fastvrrp.sim.lan import Datagram
from faults.strangers import STRANGER, frame, sent, spoofed, stream

HOUR = seconds(3600)
AH: Settings = {"auth_type": 2, "password": b"secret"}
A = bytes((192, 0, 2, 1))
INTERVAL = 4
COUNT = 3


# ---- loss ----


@pytest.mark.parametrize("loss", [0.2, 0.4, 0.6])
def test_fault_040_lossy_network(loss: float) -> None:
    """Given a settled pair, when every frame is lost with a probability of 20, 40 or 60 % for
    three hours, then the addresses are never without a holder, the better router never lets go of
    them, the false takeovers of the other stay within what three lost adverts in a row explain,
    and each ends with the next advert that gets through; after the loss there is one holder
    within an interval."""
    p = pair(seed=40)
    p.settle()
    began = p.world.now
    intervals = 3 * 3600
    p.lan.set_all(loss=loss)
    p.world.run_for(seconds(intervals))
    assert p.gap(began) == 0
    assert states(p.world, "a", began) == []
    assert states(p.world, "b", began).count(State.ACTIVE) <= intervals * loss**3
    assert p.overlap(began) <= seconds(intervals * loss**3 / (1 - loss))
    p.lan.set_all(loss=0)
    p.world.run_for(seconds(1) + 2 * DELAY)
    assert p.holders() == {"a"}


@pytest.mark.parametrize("adverts", [5, 10])
def test_fault_040_more_patience_for_a_lossy_network(adverts: int) -> None:
    """Given down_timer_adverts, when 40 % of the frames are lost for three hours, then the false
    takeovers stay within what that many lost adverts in a row explain."""
    p = pair(seed=40, down_timer_adverts=adverts)
    p.start()
    p.world.run_for(seconds(15))
    began = p.world.now
    p.lan.set_all(loss=0.4)
    p.world.run_for(3 * HOUR)
    assert states(p.world, "b", began).count(State.ACTIVE) <= 3 * 3600 * 0.4**adverts


def test_fault_041_one_way_loss_to_the_backup() -> None:
    """Given the backup no longer hears the holder, then both hold the addresses, the holder knows
    it, and its answers stay at the pace of the other's adverts; when the way is whole again, then
    the backup yields with the next advert."""
    p = pair()
    p.settle()
    p.lan.cut("a", "b")
    cut = p.world.now
    p.world.run_for(seconds(60))
    assert p.holders() == {"a", "b"}
    assert len(entries(p.world, "SEND", node="a", since=cut)) <= 2 * 60
    assert entries(p.world, "LOWER_PRIORITY", node="a", since=cut)
    p.lan.heal()
    p.world.run_for(seconds(1))
    assert p.holders() == {"a"}


def test_fault_041_the_holder_announces_itself_after_one_way_loss() -> None:
    """Given both hold the addresses, when the better one hears the other before it is heard, then
    it answers at once and announces the addresses again."""
    p = pair()
    p.settle()
    p.lan.partition({"a"}, {"b"})
    p.world.run_for(seconds(10))
    p.lan.heal()
    p.lan.cut("a", "b")
    healed = p.world.now
    p.world.run_for(seconds(3))
    assert len(entries(p.world, "ANNOUNCE", node="a", since=healed)) >= 1
    p.lan.heal()
    p.world.run_for(seconds(1))
    assert p.holders() == {"a"}


def test_fault_042_one_way_loss_to_the_holder_changes_nothing() -> None:
    """Given the holder no longer hears the backup, then nothing happens: a backup is silent
    anyway."""
    p = pair()
    p.settle()
    p.lan.cut("b", "a")
    p.world.run_for(seconds(600))
    assert states(p.world, "b") == [State.BACKUP]


def test_fault_043_partition_makes_two_holders_and_healing_one() -> None:
    """Given a settled pair, when the LAN falls apart, then both hold the addresses; when it
    heals, then the better one alone within one advert, and it announces itself again to every
    switch and host."""
    p = pair()
    p.settle()
    p.lan.partition({"a"}, {"b"})
    p.world.run_for(seconds(60))
    assert p.holders() == {"a", "b"}
    p.lan.heal()
    healed = p.world.now
    p.world.run_until(lambda: p.holders() == {"a"}, limit=seconds(1) + 2 * DELAY)
    p.world.run_for(seconds(60))
    assert p.holders() == {"a"}
    assert p.gap(healed) == 0
    assert len(entries(p.world, "ANNOUNCE", node="a", since=healed)) <= 1


# ---- order and number ----


def test_fault_044_duplicated_adverts_change_nothing() -> None:
    """Given every frame arrives twice, each copy up to 900 ms late, then a settled pair stays as
    it is."""
    p = pair()
    p.settle()
    p.lan.set_all(duplication=1.0, jitter=milliseconds(900))
    p.world.run_for(HOUR)
    assert p.holders() == {"a"}
    assert states(p.world, "b") == [State.BACKUP]


def test_fault_044_duplicated_ah_adverts_are_counted_and_told_once_a_minute() -> None:
    """Given AH and every frame arrives twice, then each second copy is counted as a replay, two
    lines are told in 100 s, and nothing else happens."""
    p = pair(**AH)
    p.settle()
    p.lan.set_all(duplication=1.0)
    p.world.run_for(seconds(100))
    assert p.b.counters()["rejected_auth_replay"] == 100
    assert len(entries(p.world, "REJECT", node="b")) == 2
    assert states(p.world, "b") == [State.BACKUP]


def test_fault_045_late_ah_advert_is_dropped() -> None:
    """Given AH, when an advert of the holder arrives after its successors, then the backup refuses
    it, and waits no longer for a holder that dies then."""
    p = pair(**AH)
    heard: list[Datagram] = []
    p.lan.taps.append(heard.append)
    p.settle()
    held = heard[-3]
    stream(p.world, p.lan, held, every=seconds(1), count=5, only=("b",))
    p.a.crash()
    crashed = p.world.now
    p.world.run_until(lambda: p.holders() == {"b"}, limit=DOWN_100)
    assert p.b.counters()["rejected_auth_replay"] == (p.world.now - crashed) // seconds(1) + 1


def test_fault_046_delayed_adverts_are_missed_once() -> None:
    """Given a settled pair, when every frame takes 3 s from now on, then the backup takes over
    once, until the first late advert reaches it; after that it waits in step with them."""
    p = pair()
    p.settle()
    slowed = p.world.now
    p.lan.set_all(delay=seconds(3))
    p.world.run_for(HOUR)
    assert states(p.world, "b", since=slowed) == [State.ACTIVE, State.BACKUP]
    assert states(p.world, "a", since=slowed) == []
    assert p.overlap(slowed) < seconds(1)
    p.lan.set_all(delay=DELAY)
    p.world.run_for(seconds(60))
    assert p.holders() == {"a"}


# ---- spoofed ----


@pytest.mark.parametrize(
    ("source", "takeovers"),
    [(STRANGER, 1), (A, 1 + seconds(30) // DOWN_100)],
    ids=["stranger", "in-the-name-of-the-holder"],
)
@pytest.mark.parametrize("rate", [10, 200])
def test_fault_050_flood_of_priority_0(source: bytes, takeovers: int, rate: int) -> None:
    """Given a settled pair, when a stranger resigns `rate` times a second for 30 s, then the backup
    takes over at most once, for the holder answers; when it does so in the holder's name, who does
    not hear itself, then at most once in Active_Down_Interval, until the next advert. The holder
    never lets go, and answers at most ten times a second."""
    p = pair()
    p.settle()
    began = p.world.now
    flood = spoofed(priority=0, src=source)
    stream(p.world, p.lan, flood, every=seconds(1 / rate), count=30 * rate)
    p.world.run_for(seconds(30))
    assert len(entries(p.world, "SEND", node="a", since=began)) <= 30 * 11
    p.world.run_for(seconds(30))
    assert states(p.world, "a", since=began) == []
    assert states(p.world, "b", since=began).count(State.ACTIVE) <= takeovers
    assert p.overlap(began) <= takeovers * 2 * DELAY
    assert p.gap(began) == 0
    assert p.holders() == {"a"}


@pytest.mark.parametrize("source", [STRANGER, A], ids=["stranger", "in-the-name-of-the-holder"])
@pytest.mark.parametrize("rate", [1, 10, 200])
def test_fault_050_flood_of_priority_0_does_not_keep_a_dead_holders_place(
    source: bytes, rate: int
) -> None:
    """Given the holder is dead, when somebody resigns `rate` times a second, then the backup takes
    over Skew_Time after the first of them, and stays."""
    p = pair()
    p.settle()
    p.a.crash()
    flood = spoofed(priority=0, src=source)
    stream(p.world, p.lan, flood, every=seconds(1 / rate), count=30 * rate)
    p.world.run_until(lambda: p.holders() == {"b"}, limit=seconds(1 / rate) + SKEW_100 + DELAY)
    took_over = p.world.now
    p.world.run_for(seconds(60))
    assert states(p.world, "b", since=took_over) == [State.ACTIVE]


def test_fault_051_spoofed_owner_silences_everyone_and_is_named() -> None:
    """Given no authentication, when a stranger sends priority 255, then every router yields to it
    (RFC 9568 §6.4.3) and says to whom; when it stops, then the better one is back after its
    Active_Down_Interval."""
    p = pair()
    p.settle()
    began = p.world.now
    stream(p.world, p.lan, spoofed(), every=seconds(1), count=30)
    p.world.run_for(DELAY)
    assert p.holders() == frozenset()
    p.world.run_for(seconds(30) - DELAY)
    assert p.holders() == frozenset()
    told = entries(p.world, "ACTIVE_ROUTER", node="b", since=began)
    assert [e.value for e in told] == [255]
    for node in (p.a, p.b):
        assert node.status()["active_source"] == STRANGER
    p.world.run_until(lambda: p.holders() == {"a"}, limit=DOWN_200)


def test_fault_051_unicast_peers_keep_strangers_out() -> None:
    """Given unicast peers, when a stranger sends priority 255 to either, then nothing happens but
    a counter."""
    p = pair(peers=("192.0.2.1", "192.0.2.2"))
    p.settle()
    began = p.world.now
    for host in (1, 2):
        target = bytes((192, 0, 2, host))
        stream(p.world, p.lan, spoofed(dst=target, unicast=True), every=seconds(1), count=30)
    p.world.run_for(seconds(60))
    for node in (p.a, p.b):
        assert states(p.world, node.name, since=began) == []
        assert node.counters()["rejected_source"] == 30


def test_fault_051_allowed_peers_keep_strangers_out() -> None:
    """Given allowed_peers, when a stranger sends priority 255 to the group, then nothing happens
    but a counter."""
    p = pair(allowed_peers=(bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))))
    p.settle()
    began = p.world.now
    stream(p.world, p.lan, spoofed(), every=seconds(1), count=30)
    p.world.run_for(seconds(60))
    for node in (p.a, p.b):
        assert states(p.world, node.name, since=began) == []
        assert node.counters()["rejected_source"] == 30


@pytest.mark.parametrize(
    ("kind", "reject"), [(1, "rejected_auth_pass"), (2, "rejected_auth_icv")], ids=["pass", "ah"]
)
def test_fault_051_authentication_keeps_strangers_out(kind: int, reject: str) -> None:
    """Given PASS or AH, when a stranger without the password sends priority 255, then nothing
    happens but a counter."""
    p = pair(auth_type=kind, password=b"secret")
    p.settle()
    began = p.world.now
    guessed = spoofed(auth_type=kind, password=b"guess")
    stream(p.world, p.lan, guessed, every=seconds(1), count=30)
    p.world.run_for(seconds(60))
    for node in (p.a, p.b):
        assert states(p.world, node.name, since=began) == []
        assert node.counters()[reject] == 30


# ---- values that make no sense, or too much ----


def test_fault_056_interval_0_is_dropped() -> None:
    """Given a settled pair of version 3, when adverts of priority 200 with Max Advertise Interval 0
    arrive, then nobody flaps: they are counted, and that is all."""
    p = pair(version=3, a={"priority": 150})
    p.settle()
    began = p.world.now
    zero = sent(version=3, priority=200).patched(INTERVAL, bytes(2))
    stream(p.world, p.lan, frame(zero), every=milliseconds(100), count=20)
    p.world.run_for(seconds(10))
    for node in (p.a, p.b):
        assert states(p.world, node.name, since=began) == []
        assert node.counters()["rejected_interval_zero"] == 20


def test_fault_057_longest_interval_is_believed_and_waited_for() -> None:
    """Given a router of version 3, when one advert of priority 254 announces an interval of
    40.95 s, and silence follows, then the backup takes over after three of these and the skew in
    proportion (RFC 9568 §6.1), and goes on at its own pace."""
    p = pair(version=3)
    p.b.start()
    p.world.run_for(seconds(10))
    assert p.holders() == {"b"}
    longest = seconds(40.95)
    p.lan.inject(spoofed(version=3, priority=254, interval_ns=longest))
    p.world.run_for(DELAY)
    heard = p.world.now
    assert p.holders() == frozenset()
    p.world.run_until(lambda: p.holders() == {"b"}, limit=HOUR)
    assert p.world.now - heard == 3 * longest + longest * 156 // 256
    assert p.b.status()["active_adver_interval"] == seconds(1)


@pytest.mark.parametrize("version", [2, 3])
def test_fault_058_advert_without_addresses_is_dropped(version: int) -> None:
    """Given a settled pair, when adverts of priority 254 without any address arrive, then they are
    counted, and that is all."""
    p = pair(version=version)
    p.settle()
    began = p.world.now
    empty = spoofed(version=version, priority=254, addresses=())
    stream(p.world, p.lan, empty, every=milliseconds(500), count=20)
    p.world.run_for(seconds(20))
    for node in (p.a, p.b):
        assert states(p.world, node.name, since=began) == []
        assert node.counters()["rejected_count"] == 20


def test_fault_058_foreign_addresses_count_and_are_shown() -> None:
    """Given a settled pair, when adverts with other addresses arrive for two minutes, then they are
    used (RFC 9568 §7.1: MAY), counted, shown, and told once a minute."""
    p = pair()
    p.settle()
    began = p.world.now
    foreign = spoofed(priority=150, addresses=(bytes((198, 51, 100, 99)),))
    stream(p.world, p.lan, foreign, every=seconds(1), count=119, only=("b",))
    p.world.run_for(seconds(119))
    assert p.b.counters()["address_list_mismatch"] == 119
    source, seen, count = p.b.status()["conditions"][Condition.ADDRESSES]
    assert (source, count) == (STRANGER, 1)
    assert p.world.now - seen <= seconds(1)
    assert len(entries(p.world, "ADDRESS_LIST", node="b", since=began)) == 2
    assert states(p.world, "b", since=began) == []


# ---- replayed ----


def test_fault_061_recorded_ah_adverts_do_not_hold_a_restarted_backup_down() -> None:
    """Given AH, and the adverts of a holder that were recorded, when the holder dies, the backup
    restarts and the record is played to it, then all of it is refused: the backup takes over in its
    Active_Down_Interval."""
    p = pair(**AH)
    recorded: list[Datagram] = []
    p.lan.taps.append(recorded.append)
    p.settle()
    p.world.run_for(seconds(100))
    p.a.crash()
    p.b.remember()
    p.b.crash()
    p.b.start()
    started = p.world.now
    for number, old in enumerate(recorded[-5:]):
        p.world.clock.after(seconds(number), p.lan.inject, old)
    p.world.run_until(lambda: p.holders() == {"b"}, limit=DOWN_100)
    assert p.world.now == started + DOWN_100
    assert p.b.counters()["rejected_auth_replay"] == 4


def test_fault_061_marks_do_not_shut_out_a_holder_that_restarts_too() -> None:
    """Given AH, when both restart at once, one with its marks and the other with a counter that
    begins anew, then the pair settles as it was within two Active_Down_Intervals."""
    p = pair(**AH)
    p.settle()
    p.world.run_for(seconds(100))
    p.b.remember()
    p.a.crash()
    p.b.crash()
    p.a.start()
    p.b.start()
    p.world.run_for(DOWN_200 + DOWN_100 + seconds(1))
    assert p.holders() == {"a"}
    refused = p.b.counters()["rejected_auth_replay"]
    p.world.run_for(seconds(60))
    assert p.holders() == {"a"}
    assert p.b.counters()["rejected_auth_replay"] == refused


# ---- authentic, but of another time ----


def hmac_pair(skew: int, *, hold: bool = False) -> Pair:
    """Return a pair with auth_hmac in time mode and a window of 5 s, started; the wall clock of `a`
    is `skew` ahead of that of `b`."""
    keys = ((1, b"k" * 32),)
    p = pair(version=3, hmac=HmacParams(keys=keys, active_key=1, window=5, hold=hold))
    p.a.step_wall_clock(NOW + skew)
    p.b.step_wall_clock(NOW)
    p.start()
    p.world.run_for(seconds(59))
    return p


NOW = seconds(1_800_000_000)


@pytest.mark.parametrize("skew", [0, 4, -4])
def test_fault_062_clocks_that_differ_within_the_window_do_no_harm(skew: int) -> None:
    """Given auth_hmac and clocks that differ by less than the window, then there is one holder, and
    nothing is refused."""
    p = hmac_pair(seconds(skew))
    assert p.holders() == {"a"}
    assert states(p.world, "b") == [State.BACKUP]
    assert p.b.counters()["adverts_received"] > 50


@pytest.mark.parametrize("skew", [6, -6, 100, -100])
def test_fault_062_clocks_that_differ_by_more_are_an_alarm(skew: int) -> None:
    """Given auth_hmac and clocks that differ by more than the window, then both hold the addresses,
    and neither is silent about it: the lower one raises the alarm once a minute with the skew, both
    show it."""
    p = hmac_pair(seconds(skew))
    assert p.holders() == {"a", "b"}
    (alarm,) = entries(p.world, "STALE_PEER", node="b")
    assert abs(alarm.value) == pytest.approx(abs(skew), abs=1)
    for node in (p.a, p.b):
        assert Condition.STALE in node.status()["conditions"]
        assert node.counters()["rejected_hmac_stale"] > 50


@pytest.mark.parametrize("skew", [6, -6, 100, -100])
def test_fault_062_stale_adverts_may_hold_a_backup(skew: int) -> None:
    """Given the policy that stale but authentic adverts hold a backup, then there is one holder,
    whatever the clocks say; when it dies, then the other takes over in its Active_Down_Interval."""
    p = hmac_pair(seconds(skew), hold=True)
    assert p.holders() == {"a"}
    assert states(p.world, "b") == [State.BACKUP]
    assert len(entries(p.world, "STALE_PEER", node="b")) == 1
    p.a.crash()
    p.world.run_until(lambda: p.holders() == {"b"}, limit=DOWN_100)


def test_fault_062_corrected_clock_ends_the_conflict() -> None:
    """Given two holders whose clocks differ, when one clock is set right, then there is one holder
    after the next advert."""
    p = hmac_pair(seconds(100))
    p.a.step_wall_clock(-seconds(100))
    p.world.run_for(seconds(1) + DELAY)
    assert p.holders() == {"a"}


def test_fault_062_recorded_and_bare_adverts_are_refused() -> None:
    """Given auth_hmac, when an advert is played again, and one without a trailer arrives, then both
    are refused and counted."""
    p = hmac_pair(0)
    recorded: list[Datagram] = []
    p.lan.taps.append(recorded.append)
    p.world.run_for(seconds(2))
    began = p.world.now
    stream(p.world, p.lan, recorded[0], every=seconds(1), count=3, only=("b",))
    stream(p.world, p.lan, spoofed(version=3), every=seconds(1), count=3)
    p.world.run_for(seconds(10))
    assert p.b.counters()["rejected_hmac_replay"] == 3
    for node in (p.a, p.b):
        assert node.counters()["rejected_hmac_missing"] == 3
        assert states(p.world, node.name, since=began) == []


# ---- echoes ----


def test_fault_064_own_adverts_that_come_back_are_ignored() -> None:
    """Given a loop in the network, when every advert of the holder comes back to it, then they are
    counted, told once a minute, and nothing else happens."""
    p = pair()
    p.settle()
    began = p.world.now

    def echo(datagram: Datagram) -> None:
        p.lan.inject(datagram, only=("a",))

    p.lan.taps.append(echo)
    p.world.run_for(seconds(59))
    assert p.a.counters()["rejected_own_source"] == 59
    assert len(entries(p.world, "SAME_ADDRESS", node="a", since=began)) == 1
    assert len(entries(p.world, "SEND", node="a", since=began)) == 59
    assert states(p.world, "a", since=began) == []
