"""`Trackers`: what is made of a configuration, and who uses what of it."""

import pytest

from fastvrrp.config.model import (
    Command,
    Config,
    InstanceConfig,
    ScriptConfig,
    SyncGroup,
    TrackFile,
    TrackUse,
)
from fastvrrp.track.base import Contribution, Tracker
from fastvrrp.track.registry import Trackers
from manualtime import ManualLoop

SCRIPTS = tuple(
    ScriptConfig(name=name, command=Command(argv=("/bin/sh",))) for name in ("one", "two", "unused")
)
BROKEN = ScriptConfig(name="broken", command=Command(argv=("/no/such/program",)))


class Links:
    """Interfaces that are up; the trackers are told by `look_at_links`."""

    def __init__(self, *up: str) -> None:
        self.up = set(up)
        self.changed: list[str] = []

    def is_up(self, name: str) -> bool:
        return name in self.up

    def on_change(self, tracker: Tracker) -> None:
        self.changed.append(tracker.name)


def instance(
    name: str = "VI_1", *, scripts: tuple[TrackUse, ...] = (), interfaces: tuple[TrackUse, ...] = ()
) -> InstanceConfig:
    return InstanceConfig(
        name=name, interface="eth0", vrid=1, scripts=scripts, interfaces=interfaces
    )


def trackers(config: Config, links: Links | None = None) -> Trackers:
    links = links or Links()
    return Trackers(config, loop=ManualLoop(), is_up=links.is_up, on_change=links.on_change)


def use(name: str, weight: int | None = None) -> TrackUse:
    return TrackUse(name=name, weight=weight)


def names(made: Trackers, of: InstanceConfig) -> list[tuple[str, str]]:
    return [(tracked.tracker.kind, tracked.use.name) for tracked in made.of(of)]


def test_what_is_used_is_made_once_and_nothing_else() -> None:
    first = instance("VI_1", scripts=(use("one"),), interfaces=(use("eth1"),))
    second = instance("VI_2", scripts=(use("two"), use("one")))
    made = trackers(Config(scripts=SCRIPTS, instances=(first, second)))
    assert len(made) == 3
    assert names(made, first) == [("script", "one"), ("interface", "eth1")]
    assert names(made, second) == [("script", "two"), ("script", "one")]
    assert made.of(first)[0].tracker is made.of(second)[1].tracker


def test_a_script_that_must_not_run_is_as_if_it_were_not_configured() -> None:
    only = instance(scripts=(use("broken"),))
    made = trackers(Config(scripts=(BROKEN,), instances=(only,)))
    assert len(made) == 0
    assert made.of(only) == ()


def test_a_file_that_must_not_be_looked_at_is_as_if_it_were_not_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = {"/mnt/number": "nfs4"}
    monkeypatch.setattr("fastvrrp.track.file.waits_on", kinds.get)
    only = InstanceConfig(
        name="VI_1", interface="eth0", vrid=1, files=(use("remote"), use("local"))
    )
    files = (
        TrackFile(name="remote", path="/mnt/number"),
        TrackFile(name="local", path="/run/number"),
    )
    made = trackers(Config(files=files, instances=(only,)))
    assert names(made, only) == [("file", "local")]


def test_what_a_group_tracks_counts_for_each_member() -> None:
    member, other, apart = instance("VI_1"), instance("VI_2"), instance("VI_3")
    group = SyncGroup(
        name="G", members=("VI_1", "VI_2"), scripts=(use("one"),), interfaces=(use("eth1"),)
    )
    made = trackers(Config(scripts=SCRIPTS, instances=(member, other, apart), groups=(group,)))
    assert names(made, member) == names(made, other) == [("script", "one"), ("interface", "eth1")]
    assert made.of(apart) == ()


def test_a_group_without_members_tracks_nothing() -> None:
    group = SyncGroup(name="G", members=("VI_9",), interfaces=(use("eth1"),))
    assert len(trackers(Config(instances=(instance(),), groups=(group,)))) == 0


def test_the_own_line_of_a_member_counts_before_that_of_its_group() -> None:
    member = instance(interfaces=(use("eth1", 0),))
    group = SyncGroup(name="G", members=("VI_1",), interfaces=(use("eth1", 5),))
    made = trackers(Config(instances=(member,), groups=(group,)))
    (tracked,) = made.of(member)
    assert tracked.use.weight == 0


@pytest.mark.parametrize(("tracking_weight", "own"), [(False, 0), (True, 5)])
def test_weights_of_members_count_only_if_their_group_says_so(
    tracking_weight: bool, own: int
) -> None:
    """Given a member that tracks an interface with a weight, and a group that tracks another one,
    then the member's weight does something only with `sync_group_tracking_weight`."""
    member = instance(interfaces=(use("eth1", 5),))
    group = SyncGroup(
        name="G",
        members=("VI_1",),
        interfaces=(use("eth2", 7),),
        tracking_weight=tracking_weight,
    )
    made = trackers(Config(instances=(member,), groups=(group,)), Links("eth1", "eth2"))
    weights = [tracked.contribution().weight for tracked in made.of(member)]
    assert weights == [own, 7]


def test_faults_of_members_count_whatever_their_group_says() -> None:
    member = instance(interfaces=(use("eth1"),))
    group = SyncGroup(name="G", members=("VI_1",))
    made = trackers(Config(instances=(member,), groups=(group,)))
    (tracked,) = made.of(member)
    assert tracked.contribution() == Contribution(fault="interface eth1 down")


def test_trackers_of_interfaces_look_when_they_are_told() -> None:
    links = Links("eth1", "eth2")
    only = instance(interfaces=(use("eth1"), use("eth2")))
    made = trackers(Config(instances=(only,)), links)
    made.start()
    links.up.remove("eth2")
    assert links.changed == []
    made.look_at_links()
    assert links.changed == ["eth2"]


def test_stop_tells_of_each_tracker_once() -> None:
    only = instance(scripts=(use("one"),), interfaces=(use("eth1"),))
    made = trackers(Config(scripts=SCRIPTS, instances=(only,)))
    made.start()
    stopped: list[bool] = []
    made.stop(lambda: stopped.append(True))
    assert len(stopped) == len(made) == 2
