"""A sync group on the cold side: what is told of it, when, and who holds it back."""

import logging

import pytest

from fastvrrp.config.model import GlobalConfig
from fastvrrp.config.model import SyncGroup as SyncGroupConfig
from fastvrrp.names import Fault, State
from fastvrrp.notify.sync_group import SyncGroup


class Member:
    def __init__(self, name: str) -> None:
        self.name = name
        self.state = State.INIT
        self.faults: dict[Fault, str] = {}


class Told:
    """Hooks that only remember."""

    def __init__(self) -> None:
        self.states: list[tuple[str, int]] = []

    def notify(self, state: str, priority: int) -> None:
        self.states.append((state, priority))

    def update(self, owner: SyncGroupConfig, _: GlobalConfig) -> None:
        self.owner = owner


@pytest.fixture
def members() -> list[Member]:
    return [Member("VI_1"), Member("VI_2")]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def group(members: list[Member], told: Told) -> SyncGroup:
    group = SyncGroup(SyncGroupConfig(name="VG", members=("VI_1", "VI_2")), told)  # type: ignore[arg-type]  # all that is used of Hooks
    group.members = members
    return group


def enter(group: SyncGroup, member: Member, state: State) -> None:
    member.state = state
    group.on_member_changed(state)


def test_a_state_is_told_when_all_members_are_there(
    group: SyncGroup, members: list[Member], told: Told
) -> None:
    for state in (State.BACKUP, State.ACTIVE, State.FAULT, State.INIT):
        enter(group, members[0], state)
        assert group.state is not state
        enter(group, members[1], state)
        assert group.state is state
    assert told.states == [("BACKUP", 0), ("MASTER", 0), ("FAULT", 0), ("STOP", 0)]
    group.tell_stop()
    assert told.states[-2:] == [("FAULT", 0), ("STOP", 0)]


def test_a_group_that_never_took_part_is_told_to_stop_as_well(group: SyncGroup, told: Told) -> None:
    group.tell_stop()
    group.tell_stop()
    assert told.states == [("STOP", 0)]


def test_the_log_says_that_the_others_follow(
    group: SyncGroup, members: list[Member], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for state in (State.BACKUP, State.ACTIVE, State.BACKUP):
        for member in members:
            enter(group, member, state)
    assert caplog.messages == [
        "VRRP_Group(VG) Syncing instances to MASTER state",
        "VRRP_Group(VG) Syncing instances to BACKUP state",
    ]


def test_who_holds_a_member_back_is_named_with_the_reason(
    group: SyncGroup, members: list[Member]
) -> None:
    assert group.held_by(members[0]) is None
    members[1].faults = {Fault.LINK: "interface eth1 down"}
    assert group.held_by(members[0]) == "sync group VG waits for VI_2 (interface eth1 down)"
    assert group.held_by(members[1]) is None


def test_a_reload_tells_no_state_that_was_told(
    group: SyncGroup, members: list[Member], told: Told
) -> None:
    for member in members:
        enter(group, member, State.BACKUP)
    third = Member("VI_3")
    third.state = State.BACKUP
    config = SyncGroupConfig(name="VG", members=("VI_1", "VI_2", "VI_3"))
    group.update(config, GlobalConfig(), [*members, third])
    assert told.states == [("BACKUP", 0)]
    assert told.owner is config
    for member in (*members, third):
        enter(group, member, State.ACTIVE)
    assert told.states == [("BACKUP", 0), ("MASTER", 0)]


def test_a_group_of_the_members_that_are_left_has_their_state(
    group: SyncGroup, members: list[Member], told: Told
) -> None:
    """Given a group whose members differ, when a reload removes the one that is behind, then the
    group is where the other is."""
    for member in members:
        enter(group, member, State.BACKUP)
    enter(group, members[0], State.ACTIVE)
    group.update(SyncGroupConfig(name="VG", members=("VI_1",)), GlobalConfig(), members[:1])
    assert told.states == [("BACKUP", 0), ("MASTER", 0)]
    assert group.state is State.ACTIVE
