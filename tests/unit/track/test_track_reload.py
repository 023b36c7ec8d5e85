"""`Trackers.update`: what goes on with what it found out, what begins anew, and what ends."""

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from coldside import Pipe, Until
from fastvrrp.clock import milliseconds, seconds
from fastvrrp.config.model import (
    Command,
    Config,
    GlobalConfig,
    InstanceConfig,
    ProbeConfig,
    ScriptConfig,
    TcpProbe,
    TrackFile,
    TrackProcess,
    TrackUse,
)
from fastvrrp.reactor import Reactor
from fastvrrp.track.base import Contribution, RiseFall, Tracker, Verdict
from fastvrrp.track.registry import Trackers

ME = "root" if os.geteuid() == 0 else None
HOUR = seconds(3600)
USE = TrackUse(name="t")


def script(*argv: str, **fields: object) -> ScriptConfig:
    command = Command(argv=("/bin/sh", "-c", *(argv or ("exit 1",))), user=ME)
    given = {"interval": HOUR, **fields}
    return ScriptConfig(name="t", command=command, **given)  # type: ignore[arg-type]  # its fields


def using(item: object, global_defs: GlobalConfig | None = None) -> Config:
    """A configuration whose one instance tracks `item`; None: nothing."""
    field = {
        ScriptConfig: "scripts",
        TrackFile: "files",
        TrackProcess: "processes",
        ProbeConfig: "probes",
    }.get(type(item))
    uses = {} if field is None else {field: (USE,)}
    instance = InstanceConfig(name="VI_1", interface="eth0", vrid=1, **uses)  # type: ignore[arg-type]  # uses
    made = Config(instances=(instance,), global_defs=global_defs or GlobalConfig())
    return made if field is None else replace(made, **{field: (item,)})  # type: ignore[arg-type]  # as above


class Fixture:
    """Trackers of one instance; `changes` counts what they told."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.changes = 0
        self.up = True
        self.trackers: Trackers | None = None

    def start(self, config: Config) -> Trackers:
        self.trackers = Trackers(
            config, loop=self.reactor, is_up=lambda _: self.up, on_change=self.on_change
        )
        self.trackers.start()
        return self.trackers

    def on_change(self, _: Tracker) -> None:
        self.changes += 1


@pytest.fixture
def world(reactor: Reactor, until: Until) -> Iterator[Fixture]:
    world = Fixture(reactor)
    yield world
    if world.trackers is not None:
        ended: list[bool] = []
        expected = len(world.trackers)
        world.trackers.stop(lambda: ended.append(True))
        until(lambda: len(ended) == expected)


def only(trackers: Trackers) -> tuple[Tracker, Contribution]:
    """The tracker and what it contributes."""
    ((_, tracked),) = [(t.tracker, t) for i in trackers._config.instances for t in trackers.of(i)]
    return tracked.tracker, tracked.contribution()


FAILED = Contribution(fault="script t failed")


def test_what_has_not_changed_is_the_same_tracker(world: Fixture, until: Until) -> None:
    trackers = world.start(using(script()))
    until(lambda: world.changes)
    before = only(trackers)
    trackers.update(using(script()))
    assert only(trackers) == before == (before[0], FAILED)
    assert world.changes == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"weight": -20}, Contribution(weight=-20)),
        ({"rise": 5, "fall": 3}, FAILED),
        ({"interval": seconds(9)}, FAILED),
        ({"timeout": seconds(1)}, FAILED),
        ({"init_fail": True}, FAILED),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_script_keeps_its_state_if_it_is_the_same_program(
    world: Fixture, until: Until, fields: dict[str, object], expected: Contribution
) -> None:
    trackers = world.start(using(script()))
    until(lambda: world.changes)
    tracker, _ = only(trackers)
    trackers.update(using(script(**fields)))
    assert only(trackers) == (tracker, expected)
    assert world.changes == 1


def test_another_interval_counts_from_the_last_run(
    world: Fixture, until: Until, tmp_path: Path
) -> None:
    """Given a script that ran just now and waits an hour, when a reload makes that 1 ms, then it
    runs again at once."""
    runs = tmp_path / "runs"
    said = f"echo x >> {runs}"
    trackers = world.start(using(script(said)))
    until(lambda: world.changes)
    trackers.update(using(script(said, interval=milliseconds(1))))
    until(lambda: len(runs.read_text()) >= 6)


OTHERS: dict[str, Callable[[], Config]] = {
    "arguments": lambda: using(script("exit 2")),
    "path": lambda: using(replace(script(), command=Command(argv=("/bin/false",), user=ME))),
    "account": lambda: using(
        replace(script(), command=Command(argv=script().command.argv, user="nobody"))
    ),
    "default-account": lambda: using(
        replace(script(), command=Command(argv=script().command.argv)),
        GlobalConfig(script_user="nobody"),
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_program_has_not_run_yet_and_holds_nobody_back(
    world: Fixture, until: Until, other: str
) -> None:
    """Given a script that failed, when a reload makes it another program, then the instance is free
    until its first failure."""
    if "account" in other and os.geteuid() != 0:
        pytest.skip("changing the user needs root")
    trackers = world.start(using(script()))
    until(lambda: world.changes)
    tracker, _ = only(trackers)
    trackers.update(OTHERS[other]())
    new, contribution = only(trackers)
    assert new is not tracker
    assert contribution == Contribution()
    until(lambda: world.changes == 2)
    assert only(trackers) == (new, FAILED)


def test_a_link_to_another_program_is_another_program(
    world: Fixture, until: Until, tmp_path: Path
) -> None:
    link = tmp_path / "check"
    link.symlink_to("/bin/false")
    config = ScriptConfig(name="t", command=Command(argv=(str(link),), user=ME), interval=HOUR)
    trackers = world.start(using(config))
    until(lambda: world.changes)
    tracker, _ = only(trackers)
    link.unlink()
    link.symlink_to("/bin/true")
    trackers.update(using(replace(config, weight=5)))
    assert only(trackers)[0] is not tracker


def test_a_first_run_that_is_awaited_at_start_is_not_after_a_reload(world: Fixture) -> None:
    trackers = world.start(using(script()))
    assert only(trackers)[1] == Contribution(pending=True)
    trackers.update(using(None))
    trackers.update(using(script()))
    assert only(trackers)[1] == Contribution()


def test_a_script_that_must_not_run_any_more_is_as_if_it_were_not_configured(
    world: Fixture, until: Until
) -> None:
    trackers = world.start(using(script()))
    until(lambda: world.changes)
    broken = replace(script(), command=Command(argv=("/no/such/program",), user=ME))
    trackers.update(using(broken))
    assert len(trackers) == 0
    trackers.update(using(script()))
    assert len(trackers) == 1


def test_a_run_of_what_ends_is_ended_and_waited_for(
    world: Fixture, until: Until, pipe: Pipe
) -> None:
    """Given a script that runs and ignores SIGTERM, when a reload removes it and the end comes
    before it is gone, then it is killed, and its end is told once."""
    trackers = world.start(using(script(f'trap "" TERM; echo x > {pipe.path}; sleep 1000')))
    until(lambda: pipe.lines)
    trackers.update(using(None))
    assert len(trackers) == 1
    told: list[bool] = []
    trackers.stop(lambda: told.append(True))
    until(lambda: told)
    assert (told, len(trackers)) == ([True], 0)


# ---- files, processes, probes ----


def test_the_number_of_a_file_is_kept_and_no_file_is_made(world: Fixture, tmp_path: Path) -> None:
    number, other = tmp_path / "number", tmp_path / "other"
    number.write_text("7")
    first = TrackFile(name="t", path=str(number))
    trackers = world.start(using(first))
    tracker, contribution = only(trackers)
    assert contribution == Contribution(weight=7)
    trackers.update(using(replace(first, weight=2, init=99, overwrite=True)))
    assert only(trackers) == (tracker, Contribution(weight=14))
    assert number.read_text() == "7"
    trackers.update(using(TrackFile(name="t", path=str(other), init=5)))
    assert only(trackers)[1] == Contribution()
    assert not other.exists()


def test_a_new_quorum_of_processes_counts_at_once(world: Fixture, until: Until) -> None:
    name = Path("/proc/self/comm").read_text().rstrip("\n")
    first = TrackProcess(name="t", command=(name,), quorum=1000)
    trackers = world.start(using(first))
    until(lambda: world.changes)
    tracker, contribution = only(trackers)
    assert contribution.fault is not None
    trackers.update(using(replace(first, quorum=1)))
    assert only(trackers) == (tracker, Contribution())
    trackers.update(using(replace(first, command=("no-such-process",))))
    new, contribution = only(trackers)
    assert new is not tracker
    assert contribution == Contribution()
    until(lambda: world.changes == 2)
    assert only(trackers)[1].fault is not None


def test_a_probe_keeps_its_verdict_if_its_target_is_the_same(world: Fixture, until: Until) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        target = TcpProbe(address=ip_address("127.0.0.1"), port=port)
        first = ProbeConfig(name="t", target=target, interval=milliseconds(20), weight=5)
        trackers = world.start(using(first))
        until(lambda: world.changes)
        tracker, contribution = only(trackers)
        assert contribution == Contribution(weight=5)
        trackers.update(using(replace(first, interval=milliseconds(40), weight=6)))
        assert only(trackers) == (tracker, Contribution(weight=6))
    until(lambda: world.changes == 2)  # it probes on: nobody listens any more
    other = TcpProbe(address=ip_address("127.0.0.2"), port=port)
    trackers.update(using(replace(first, target=other)))
    assert only(trackers)[0] is not tracker


def test_the_state_of_an_interface_is_looked_up_silently(world: Fixture) -> None:
    """Given an interface whose state counts otherwise from a reload on (it is polled now), then it
    contributes what it is."""
    instance = InstanceConfig(
        name="VI_1", interface="eth0", vrid=1, interfaces=(TrackUse(name="eth1"),)
    )
    config = Config(instances=(instance,))
    trackers = world.start(config)
    tracker, contribution = only(trackers)
    assert contribution == Contribution()
    world.up = False
    trackers.update(config)
    assert only(trackers) == (tracker, Contribution(fault="interface eth1 down"))
    assert world.changes == 0


# ---- counters of results ----


@pytest.mark.parametrize(
    ("results", "limits", "verdict", "count"),
    [
        ((True,), (3, 2), Verdict.UP, 3),
        ((True,), (1, 1), Verdict.UP, 1),
        ((False,), (3, 2), Verdict.DOWN, 0),
        ((False, True), (1, 1), Verdict.DOWN, 0),
        ((), (3, 2), Verdict.UNKNOWN, 0),
    ],
)
def test_other_limits_change_no_verdict(
    results: tuple[bool, ...], limits: tuple[int, int], verdict: Verdict, count: int
) -> None:
    found = RiseFall(2, 2)
    for ok in results:
        found.feed(ok=ok)
    found.adjust(*limits)
    assert (found.verdict, found.count) == (verdict, count)
