"""The same as lockstep_groups.py, with reloads in between: members change, end, begin anew, and
are put together otherwise."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from random import Random
from typing import Any

from lockstep_groups import (
    SINGLES,
    GroupCase,
    Member,
    Operation,
    Team,
    params,
    pattern,
    random_member,
)
from rfc9568 import Group, Settings
from rfc9568_reload import Reload, apply, retire

from fastvrrp.core.acts import Revision, RouterChange

ROOM = 4
"""Sync groups."""


def random_case(seed: int, length: int = 40) -> GroupCase:
    """Return the case that follows from `seed`."""
    random = Random(seed)
    count = random.choice((1, 2, 2, 3, 4))
    version = random.choice((2, 3))
    owners = random.random() < 0.2
    members = tuple(random_member(random, i, version, owners=owners) for i in range(count))
    operations: list[Operation] = []
    if random.random() < 0.8:
        operations += [["startup", i] for i in range(count)]
    while len(operations) < length:
        if random.random() < 0.15:
            operations += reload_of(random, members, version)
        else:
            operations += pattern(random, count)
    return GroupCase(members, count > 1, operations, f"seed {seed}")


def reload_of(random: Random, members: tuple[Member, ...], version: int) -> list[Operation]:
    """Return a reload, and perhaps the startup of those that begin with it."""
    changes = []
    for one in range(len(members)):
        fate = random.choices(("", "on", "same", "anew", "ends"), (20, 40, 20, 10, 10))[0]
        if not fate:
            continue
        spoken = version if random.random() < 0.85 else random.choice((2, 3))
        changes.append([one, fate, asdict(random_member(random, one, spoken, owners=False))])
    numbers = list(range(len(members)))
    groups = [numbers] if random.random() < 0.6 else partition(random, numbers)
    old = {"0": 0} if random.random() < 0.7 else {}
    operations: list[Operation] = [["reload", random.randrange(1 << 30), changes, groups, old]]
    if random.random() < 0.8:
        operations += [["startup", one] for one in numbers]
    return operations


def partition(random: Random, numbers: list[int]) -> list[list[int]]:
    """Return up to three groups of some of `numbers`, in any order."""
    groups: list[list[int]] = [[] for _ in range(random.randint(0, 3))]
    shuffled = random.sample(numbers, len(numbers))
    for one in shuffled:
        if groups and random.random() < 0.8:
            random.choice(groups).append(one)
    return groups


class ReloadTeam(Team):
    """Members that are configured anew now and then. Those that are gone hear nothing."""

    def __init__(self, case: GroupCase) -> None:
        super().__init__(case)
        self.core.grow(len(self.models), 1, ROOM)
        self.groups: list[Group] = [self.models[0].group] if case.grouped else []

    def run(self, operations: Sequence[Operation]) -> str:
        """As Team.run()."""
        for index, operation in enumerate(operations):
            if not self.is_possible(operation):
                continue
            if difference := super().run([operation]):
                return f"{index}: {difference}"
        return ""

    def is_possible(self, operation: Operation) -> bool:
        kind = operation[0]
        of_a_member = kind not in ("reload", "to_deadline", "elapse", "stand_still", "resume")
        return not (of_a_member and self.models[operation[1]].life == "gone")

    def reload(
        self, seed: int, changes: list[Any], groups: list[list[int]], old: dict[str, int]
    ) -> None:
        """Change some settings of those that go `on` (all of them while they are `same`: none)."""
        random = Random(seed)
        members: dict[int, tuple[Settings, int, int] | None] = {}
        anew = set()
        for one, fate, data in changes:
            if fate == "ends":
                if self.models[one].life != "gone":
                    members[one] = None
                continue
            wanted = Member(**{**data, "settings": Settings(**data["settings"])})
            if fate == "anew" or self.models[one].life == "gone":
                anew.add(one)
                members[one] = (wanted.settings, wanted.priority, wanted.faults)
            else:
                members[one] = self.mixed(random, one, wanted, same=fate == "same")
        gone = {one for one, model in enumerate(self.models) if model.life == "gone"} - set(anew)
        gone |= {one for one, member in members.items() if member is None}
        kept = tuple(tuple(one for one in group if one not in gone) for group in groups)
        known = {int(n): was for n, was in old.items() if int(n) < len(kept)}
        known = {n: was for n, was in known.items() if was < len(self.groups)}
        self.carry_out(Reload(members, frozenset(anew), kept, known))

    def mixed(
        self, random: Random, one: int, wanted: Member, *, same: bool
    ) -> tuple[Settings, int, int]:
        """Return the present configuration with one to three fields of `wanted`."""
        model = self.models[one]
        names = [f.name for f in fields(Settings)]
        chosen = [] if same else random.sample(names, random.randint(0, 3))
        settings = replace(
            model.settings, **{name: getattr(wanted.settings, name) for name in chosen}
        )
        if settings.version == 3:
            settings = replace(settings, ah=False)
        priority, faults = model.priority, model.faults
        if not same and random.random() < 0.3:
            priority = wanted.priority
        if not same and random.random() < 0.3:
            faults = wanted.faults
        return settings, priority, faults

    def carry_out(self, reload: Reload) -> None:
        for one, member in reload.members.items():
            if member is None or (one in reload.anew and self.models[one].life != "gone"):
                self.core.retire(one, self.now)
                self.models[one].now = self.now
                retire(self.models[one])
        self.compare()
        changes = [
            self.change(one, member, fresh=one in reload.anew)
            for one, member in reload.members.items()
        ]
        self.core.revise(
            Revision(changes=changes, groups=reload.groups, old_groups=reload.old), self.now
        )
        self.groups = apply(self.models, self.groups, reload, self.now)

    def change(
        self, one: int, member: tuple[Settings, int, int] | None, *, fresh: bool
    ) -> RouterChange:
        if member is None:
            return RouterChange(slot=one, params=None)
        made = params(Member(*member), one + 1, -1)
        return RouterChange(slot=one, params=made, fresh=fresh, port=0, source=made.source)


def run(case: GroupCase) -> str:
    """Return "" when model and core agree, else the first difference."""
    return ReloadTeam(case).run(case.operations)


def explain(case: GroupCase) -> str:
    """Return "" when they agree, else a case as short as leaving out operations makes it."""
    if not run(case):
        return ""
    operations = list(case.operations)
    for index in range(len(operations) - 1, -1, -1):
        without = operations[:index] + operations[index + 1 :]
        if ReloadTeam(case).run(without):
            operations = without
    short = GroupCase(case.members, case.grouped, operations, case.name)
    return f"{case.name}\n{run(short)}\n{short.to_json()}"


assert "reload" not in SINGLES
