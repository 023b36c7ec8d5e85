"""RFC 9568 §6, timers and state machine, to the nanosecond. The table is docs/conformance.md,
sections C, D and E."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from conformance.scene import (
    HIGHER,
    LOWER,
    OWN,
    SECOND,
    Router,
    active,
    advert,
    backup,
    configuration,
)
from fastvrrp import loads
from fastvrrp.clock import centiseconds, seconds
from fastvrrp.core.acts import RouterParams
from fastvrrp.names import NoteKind, Reason, State
from fastvrrp.sim import World
from fastvrrp.wire.frames import gratuitous_arp, unsolicited_na

MAC = bytes.fromhex("02005e100001")
FAMILIES = (4, 6)
PRIORITIES = (1, 100, 200, 254, 255)
INTERVALS = (1, 50, 100, 4095)  # cs


def skew(priority: int, interval: int = SECOND) -> int:
    """Skew_Time (§6.1), written here a second time on purpose."""
    return (256 - priority) * interval // 256


def down(priority: int, interval: int = SECOND) -> int:
    """Active_Down_Interval (§6.1)."""
    return 3 * interval + skew(priority, interval)


# ---- timers ----


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("priority", PRIORITIES)
def test_cf_050_skew_time_is_a_part_of_the_interval(priority: int, interval: int) -> None:
    """Given a backup, when the active router resigns, then it waits for Skew_Time, not a nanosecond
    longer."""
    own = centiseconds(interval)
    router = Router(priority=priority, advert_interval=own).start()
    router.hear(advert(priority=0, interval_ns=own))
    router.run_to(skew(priority, own) - 1)
    assert router.state() is State.BACKUP
    router.run_to(skew(priority, own))
    assert router.state() is State.ACTIVE


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("priority", PRIORITIES)
def test_cf_051_active_down_interval_is_three_intervals_and_skew_time(
    priority: int, interval: int
) -> None:
    own = centiseconds(interval)
    router = Router(priority=priority, advert_interval=own).start()
    router.run_to(down(priority, own) - 1)
    assert router.state() is State.BACKUP
    router.run_to(down(priority, own))
    assert router.state() is State.ACTIVE


def test_cf_051_down_timer_adverts_is_the_number_of_intervals() -> None:
    router = Router(down_timer_adverts=2).start()
    assert router.deadline == 2 * SECOND + skew(100)


# ---- Initialize ----


def test_cf_052_owner_is_active_at_once() -> None:
    router = Router(priority=255, start_active=True).start()
    assert router.state() is State.ACTIVE
    assert router.kinds == ["SEND", "INSTALL", "ANNOUNCE"]
    assert router.deadline == SECOND


@pytest.mark.parametrize("start_active", [False, True])
def test_cf_053_others_start_in_backup(start_active: bool) -> None:
    """Given a router that owns nothing, when it starts, then it is a backup, whatever `state
    MASTER` says."""
    router = Router(priority=254, start_active=start_active).start()
    assert router.state() is State.BACKUP
    assert router.acts == []
    assert router.status("active_adver_interval") == SECOND
    assert router.deadline == down(254)


# ---- Backup ----


def test_cf_059_backup_that_stops_says_nothing() -> None:
    router = backup()
    router.stop()
    assert router.state() is State.INIT
    assert not router.timer_runs
    assert router.acts == []


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_060_takeover_sends_first_then_sets_and_announces(family: int) -> None:
    router = Router(family=family).start()
    router.run_to(router.deadline)
    assert router.state() is State.ACTIVE
    assert router.kinds == ["SEND", "INSTALL", "ANNOUNCE"]
    assert router.deadline == router.now + SECOND


def test_cf_060_gratuitous_arp_is_from_the_address_to_itself() -> None:
    """Errata 7947 and 7949."""
    frame = gratuitous_arp(MAC, IPv4Address("192.0.2.100"))
    vip = bytes((192, 0, 2, 100))
    assert frame[:14] == b"\xff" * 6 + MAC + b"\x08\x06"
    assert frame[20:22] == b"\x00\x01"  # a request
    assert (frame[22:28], frame[28:32], frame[38:42]) == (MAC, vip, vip)


@pytest.mark.parametrize("router", [False, True])
def test_cf_060_neighbour_advertisement_says_router_and_override(router: bool) -> None:
    target = IPv6Address("2001:db8::100")
    frame = unsolicited_na(MAC, target, router=router)
    assert frame[38:54] == IPv6Address("ff02::1").packed
    assert (frame[21], frame[54]) == (255, 136)  # hop limit, type
    assert frame[58] == (0x80 if router else 0) | 0x20  # R as this host forwards, S 0, O 1
    assert frame[62:78] == target.packed
    assert frame[78:] == b"\x02\x01" + MAC


@pytest.mark.parametrize("priority", PRIORITIES)
def test_cf_061_resignation_leaves_skew_time(priority: int) -> None:
    router = Router(priority=priority).start()
    router.run_for(SECOND)
    router.hear(advert(priority=0))
    assert router.deadline == router.now + skew(priority)
    router.run_to(router.deadline)
    assert [note.b for note in router.noted(NoteKind.STATE)][-1] == Reason.RESIGNED


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("priority", [100, 101, 255])
def test_cf_062_advert_of_equal_or_higher_priority_restarts_the_timer(
    priority: int, family: int
) -> None:
    router = backup(family=family)
    router.hear(advert(priority=priority, family=family, interval_ns=2 * SECOND))
    assert router.status("active_adver_interval") == 2 * SECOND
    assert router.deadline == router.now + down(100, 2 * SECOND)


def test_cf_062_without_preemption_every_advert_does() -> None:
    router = backup(preempt=False)
    router.hear(advert(priority=1, interval_ns=2 * SECOND))
    assert router.deadline == router.now + down(100, 2 * SECOND)


def test_cf_063_advert_of_lower_priority_changes_no_timer() -> None:
    router = backup()
    due = router.deadline
    router.hear(advert(priority=99, interval_ns=2 * SECOND))
    assert router.deadline == due
    assert router.status("active_adver_interval") == SECOND
    router.run_to(due)
    assert [note.b for note in router.noted(NoteKind.STATE)] == [Reason.PREEMPTION]


# ---- Active ----


def test_cf_070_active_that_stops_resigns() -> None:
    router = active()
    router.stop()
    assert router.state() is State.INIT
    assert not router.timer_runs
    assert router.sent == [0]
    assert router.kinds == ["SEND", "WITHDRAW"]


@pytest.mark.parametrize("interval", INTERVALS)
def test_cf_071_adverts_are_one_interval_apart(interval: int) -> None:
    own = centiseconds(interval)
    router = active(advert_interval=own)
    router.run_for(100 * own)
    assert len(router.sent) == 100
    assert router.gaps == {own}


def test_cf_071_discarded_packets_never_move_the_timer() -> None:
    """Given 1000 packets a second that fail a check each, then the adverts keep their rhythm."""
    wrong = (
        advert(ttl=254),
        advert().patched(2, b"\x01", resum=False),
        advert(version=2),
        advert(addresses=()),
        advert(dst=OWN[4], unicast=True),
        advert(src=OWN[4]),
    )
    router = active()
    for number in range(10_000):
        router.hear(wrong[number % len(wrong)])
        router.run_for(SECOND // 1000)
    assert len(router.sent) == 10
    assert router.gaps == {SECOND}


def test_cf_072_resignation_of_another_is_answered_at_once() -> None:
    router = active()
    router.hear(advert(priority=0))
    assert router.state() is State.ACTIVE
    assert [(act.kind, act.at, act.a) for act in router.acts] == [("SEND", router.now, 100)]
    assert router.deadline == router.now + SECOND


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_073_higher_priority_is_yielded_to(family: int) -> None:
    router = active(family=family)
    router.hear(advert(family=family, priority=101, interval_ns=2 * SECOND))
    assert router.state() is State.BACKUP
    assert router.status("active_adver_interval") == 2 * SECOND
    assert router.deadline == router.now + down(100, 2 * SECOND)
    router.run_to(router.deadline - 1)
    assert router.sent == []


@pytest.mark.parametrize("family", FAMILIES)
def test_cf_073_of_equal_priority_the_higher_address_wins(family: int) -> None:
    router = active(family=family)
    router.hear(advert(family=family, priority=100, src=LOWER[family]))
    assert router.state() is State.ACTIVE
    router.hear(advert(family=family, priority=100, src=HIGHER[family]))
    assert router.state() is State.BACKUP


def test_cf_073_addresses_compare_as_unsigned_numbers() -> None:
    router = active(source=bytes((127, 255, 255, 254)))
    router.hear(advert(priority=100, src=bytes((128, 0, 0, 1))))
    assert router.state() is State.BACKUP


@pytest.mark.parametrize(
    ("priority", "source"), [(99, HIGHER[4]), (100, LOWER[4])], ids=["priority", "address"]
)
def test_cf_074_advert_of_lower_rank_is_answered_at_once(priority: int, source: bytes) -> None:
    router = active()
    router.hear(advert(priority=priority, src=source))
    assert router.state() is State.ACTIVE
    sent = [(act.at, act.a) for act in router.acts if act.kind == "SEND"]
    assert sent == [(router.now, 100)]
    assert router.deadline == router.now + SECOND


def test_cf_075_addresses_go_in_the_turn_that_yields() -> None:
    router = active()
    router.hear(advert(priority=200))
    assert [(act.kind, act.at) for act in router.acts] == [("WITHDRAW", router.now)]


@pytest.mark.parametrize("preempt", [False, True])
def test_cf_076_owner_preempts_without_preempt_mode_too(preempt: bool) -> None:
    """Given an owner that starts as a backup, when it hears a lower priority, then its timer runs
    out; no other priority does without Preempt_Mode."""
    owner = backup(priority=255, preempt=preempt)
    due = owner.deadline
    owner.hear(advert(priority=254))
    assert owner.deadline == due
    other = backup(priority=254, preempt=False)
    due = other.deadline
    other.hear(advert(priority=253))
    assert other.deadline > due


def test_cf_077_active_router_goes_by_its_own_interval_again() -> None:
    router = backup()
    router.hear(advert(interval_ns=4 * SECOND))
    assert router.status("active_adver_interval") == 4 * SECOND
    router.run_to(router.deadline)
    assert router.state() is State.ACTIVE
    assert router.status("active_adver_interval") == SECOND
    router.run_for(3 * SECOND)
    assert router.gaps == {SECOND}


# ---- section D: operation ----


def test_cf_084_nothing_is_announced_before_a_router_is_active() -> None:
    router = Router().start()
    router.run_to(router.deadline - 1)
    router.hear(advert(priority=200))
    router.run_for(SECOND)
    assert router.acts == []
    router.run_to(router.deadline)
    assert router.kinds == ["SEND", "INSTALL", "ANNOUNCE"]


def test_cf_089_two_virtual_routers_share_the_load() -> None:
    """Given two routers that back each other up, then each holds its own addresses, and both when
    the other is gone."""
    seed = 1
    print(f"seed {seed}")
    world = World(seed)
    lan = world.lan()
    for name, first, second in (("a", 200, 100), ("b", 100, 200)):
        text = "".join(
            f"vrrp_instance V{vrid} {{\n interface eth0\n version 3\n virtual_router_id {vrid}\n"
            f" priority {priority}\n virtual_ipaddress {{\n 192.0.2.10{vrid}\n }}\n}}\n"
            for vrid, priority in ((1, first), (2, second))
        )
        address = f"192.0.2.{1 if name == 'a' else 2}"
        world.node(name, loads(text), {"eth0": (lan, address)}).start()
    world.run_for(seconds(10))
    assert [world.holders(vrid) for vrid in (1, 2)] == [{"a"}, {"b"}]
    world.nodes["b"].crash()
    world.run_for(seconds(4))
    assert [world.holders(vrid) for vrid in (1, 2)] == [{"a"}, {"a"}]


def test_cf_091_authentication_of_version_3_is_reported_as_none() -> None:
    body = "version 3\nauthentication {\nauth_type PASS\nauth_pass secret\n}"
    found = configuration(body)
    assert found.instances[0].auth is None
    assert [one.code for one in found.diagnostics] == ["FV205"]
    assert "RFC 9568 §9" in found.diagnostics[0].message


# ---- section E: RFC 5798 ----


@pytest.mark.parametrize("style", [0, 1])
def test_cf_100_both_checksums_of_version_3_over_ipv4_are_accepted(style: int) -> None:
    router = backup()
    router.hear(advert(checksum_style=style))
    assert router.counter("adverts_received") == 1
    assert [note.a for note in router.noted(NoteKind.CHECKSUM_STYLE)] == [style]


def test_cf_101_skew_time_follows_the_learnt_interval() -> None:
    """Given a router of 50 cs, when it learns 4095 cs, then both parts of its timer grow."""
    own, learnt = centiseconds(50), centiseconds(4095)
    router = Router(advert_interval=own).start()
    router.hear(advert(interval_ns=learnt))
    assert router.deadline == down(100, learnt)
    router.hear(advert(priority=0, interval_ns=learnt))
    assert router.deadline == skew(100, learnt)


def test_cf_102_lower_prio_no_advert_discards_without_an_answer() -> None:
    router = active(lower_prio_no_advert=True)
    due = router.deadline
    router.hear(advert(priority=99))
    assert (router.state(), router.sent, router.deadline) == (State.ACTIVE, [], due)


def test_cf_103_both_vocabularies_are_one_table() -> None:
    assert State.ACTIVE.keepalived == "MASTER"
    assert State.BACKUP.keepalived == "BACKUP"


def test_defaults_are_those_of_the_rfc() -> None:
    """Preempt_Mode True, Advertisement_Interval 100 cs, Priority 100 (§6.1)."""
    usual = RouterParams(vrid=1)
    assert (usual.preempt, usual.advert_interval, usual.priority) == (True, SECOND, 100)
