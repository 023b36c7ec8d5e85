"""Fleet: the virtual routers and sync groups that one engine runs, and how a new configuration
changes them.

A change has two halves. `draft()` opens the sockets and compiles the bytes that are needed, and may
fail: nothing has changed then. `Draft.carry_out()` gives the hot loop all of it in one step, made
for the states that the routers are in; when one has changed meanwhile, the step is made anew.
Everything runs on the engine's cold loop.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, count

from fastvrrp.config.model import Config, InstanceConfig
from fastvrrp.core.acts import Note
from fastvrrp.errors import EngineError, FastVrrpError
from fastvrrp.host.holding import Holding
from fastvrrp.host.links import Key
from fastvrrp.loop.prepared import Prepared
from fastvrrp.loop.step import Change, Step
from fastvrrp.names import State
from fastvrrp.notify.hooks import Hooks
from fastvrrp.notify.sync_group import SyncGroup
from fastvrrp.routers.placement import Shared, Supply
from fastvrrp.routers.plan import identity, pair
from fastvrrp.routers.roster import Candidate
from fastvrrp.routers.virtual_router import VirtualRouter
from fastvrrp.track.registry import Trackers

__all__ = ["Draft", "Fleet"]

log = logging.getLogger("fastvrrp.engine")

_ATTEMPTS = 100
"""To find all routers in the states that a step was made for; each takes milliseconds, and a state
changes once in a while."""


class Fleet:
    """What runs; `routers` and `groups` are in the order of the configuration."""

    def __init__(self, shared: Shared) -> None:
        self.routers: list[VirtualRouter] = []
        self.groups: list[SyncGroup] = []
        self.config = Config()
        self.shared = shared
        self._slots: dict[int, VirtualRouter] = {}

    def at(self, slot: int) -> VirtualRouter:
        """Return the router in `slot` of the hot loop; raises KeyError."""
        return self._slots[slot]

    def named(self, name: str) -> VirtualRouter | None:
        """Return the router of the instance `name`."""
        return next((one for one in self.routers if one.config.name == name), None)

    def refresh(self) -> bool:
        """Let every router look at the interfaces again; tell if the place of one is another."""
        before = [router.placement.supply for router in self.routers]
        for router in self.routers:
            router.placement.let_go()
        for router in self.routers:
            router.refresh()
            asleep = router.placement.fallen_asleep()
            for holding in asleep if router.is_holding else ():
                router.placement.on_lost(holding, 0)
        self.close_unused()
        return before != [router.placement.supply for router in self.routers]

    def on_lost(self, key: Key, port_id: int) -> None:
        """The netlink socket `port_id` removed what has `key`: let whoever holds it put it back."""
        for placement in tuple(self.shared.holders.get(key, ())):
            router = self._slots.get(placement.slot)
            if router is not None and router.is_holding:
                if port_id in self.shared.table.ours:
                    placement.set_again([placement.held[key]])
                else:
                    placement.on_lost(placement.held[key], port_id)

    def close_unused(self) -> None:
        """Close the sockets that nobody needs any more."""
        supplies = (router.placement.supply for router in self.routers)
        used = {one.key for one in supplies if one is not None and one.has_sockets}
        self.shared.ports.close_unused(used)

    def on_overrun(self) -> None:
        """News of the kernel was lost: let active routers set again what is not there."""
        for router in self.routers:
            if router.is_holding:
                router.placement.set_missing()

    def draft(self, candidates: Sequence[Candidate], config: Config) -> "Draft":
        """Prepare to run `candidates`, the instances of `config`. Raises KernelError and
        EngineError, with everything as it was."""
        old = [identity(one.config, self.config.global_defs) for one in self.routers]
        new = [identity(one.instance, config.global_defs) for one in candidates]
        free = (slot for slot in count() if slot not in self._slots)
        before = self.config
        both = len(self.routers) + len(candidates)
        self.shared.hot.reserve(both, 2 * both, len(config.groups))
        self.shared.ports.grow(2 * both)
        self.shared.take(config)
        for router in self.routers:  # the links may be newer than the last refresh()
            router.placement.let_go()
        entries: list[_Entry] = []
        try:
            for candidate, match in zip(candidates, pair(old, new), strict=True):
                known = self.routers[match.old] if match.old is not None else None
                entries.append(self._enter(candidate, known, next(free), same=match.same))
                entries[-1].supply = self._supply(entries[-1], before)
            _check_vrids(entries)
        except FastVrrpError:
            self.give_up(entries, before)
            raise
        return Draft(self, config, entries)

    def _enter(
        self, candidate: Candidate, known: VirtualRouter | None, free: int, *, same: bool
    ) -> "_Entry":
        instance = candidate.instance
        router = known
        if router is None:
            hooks = Hooks(instance, self.shared.common, loop=self.shared.loop)
            router = VirtualRouter(instance, slot=free, shared=self.shared, hooks=hooks)
        entry = _Entry(router=router, candidate=candidate, before=router.config, is_kept=same)
        router.placement.configure(instance)
        return entry

    def _supply(self, entry: "_Entry", before: Config) -> Supply | None:
        """Return what the hot loop needs of a router: what it has, if that is the same still."""
        placement = entry.router.placement
        old, place = placement.supply, placement.look()
        if place is None:  # a fault; what it holds goes by what was made for it
            return old if entry.is_kept and not placement.is_gone else None
        group = entry.before.multicast_group(before.global_defs)
        unchanged = entry.before == entry.candidate.instance and group == (
            entry.candidate.instance.multicast_group(self.shared.common)
        )
        if entry.is_kept and unchanged and old is not None and old.place == place:
            return old
        return placement.make(place)

    def track(self, trackers: Trackers) -> None:
        """Let every router go by `trackers`, which are other ones now."""
        for router in self.routers:
            router.configure(router.config, trackers.of(router.config), router.group)
            router.judge()

    def give_up(self, entries: Iterable["_Entry"], before: Config) -> None:
        """Go by the old configuration again."""
        self.shared.take(before)
        for entry in entries:
            entry.router.placement.configure(entry.before)
        self.close_unused()
        for router in self.routers:
            router.placement.look()

    def replace(
        self, routers: list[VirtualRouter], groups: list[SyncGroup], config: Config
    ) -> None:
        """Run these from now on."""
        self.routers, self.groups, self.config = routers, groups, config
        self._slots = {one.slot: one for one in routers}


@dataclass(slots=True, kw_only=True)
class _Entry:
    """One router of a draft. `before`: its configuration until now; `is_kept`: it is the same
    virtual router as before, and goes on in its state."""

    router: VirtualRouter
    candidate: Candidate
    before: InstanceConfig
    is_kept: bool
    supply: Supply | None = None


class Draft:
    """What `config` makes of a fleet."""

    def __init__(self, fleet: Fleet, config: Config, entries: list[_Entry]) -> None:
        self._fleet = fleet
        self._entries = entries
        self.config = config
        new = {entry.router.slot for entry in entries}
        self.removed = [one for one in fleet.routers if one.slot not in new]
        """Routers that end."""
        names = {group.name for group in config.groups}
        self._removed_groups = [one for one in fleet.groups if one.config.name not in names]
        self.before = {one.slot: one for one in fleet.routers}.__getitem__
        """Returns the router that was in a slot."""

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """All that its routers may set."""
        supplies = (entry.supply for entry in self._entries)
        return tuple(h for one in supplies if one is not None for h in one.place.removable)

    def give_up(self) -> None:
        """Let the fleet go by its configuration still; instead of `carry_out`."""
        self._fleet.give_up(self._entries, self._fleet.config)

    def carry_out(self, trackers: Trackers) -> list[Note]:
        """Let the fleet run it. Returns the notes of the hot loop that belong to the routers until
        now, see `before`; `tell()` comes after them. Raises EngineError, with the fleet as it was,
        if the states did not keep still.
        """
        groups = self._make_groups()
        before = []
        for entry in self._entries:
            instance = entry.candidate.instance
            group = groups[entry.candidate.group] if entry.candidate.group >= 0 else None
            before.append(entry.router.configure(instance, trackers.of(instance), group))
            entry.router.assess()
        try:
            notes = self._step(groups)
        except BaseException:
            for entry, setting in zip(self._entries, before, strict=True):
                entry.router.configure(*setting)
                entry.router.assess()
            raise
        for router in self.removed:
            router.placement.took(None)
        for entry in self._entries:
            entry.router.placement.took(entry.supply)
            entry.router.gave()
        self._fleet.replace([entry.router for entry in self._entries], groups, self.config)
        return notes

    @property
    def ended(self) -> list[tuple[VirtualRouter, InstanceConfig]]:
        """The routers that resigned if they were active, with their configuration until now: those
        that end, and those that begin anew."""
        anew = [(e.router, e.before) for e in self._entries if not e.is_kept]
        return [(router, router.config) for router in self.removed] + anew

    @property
    def kept(self) -> list[tuple[VirtualRouter, InstanceConfig]]:
        """The routers that go on, with their configuration until now."""
        return [(entry.router, entry.before) for entry in self._entries if entry.is_kept]

    def tell(self) -> None:
        """Let people know of what has ended, and of the states that sync groups are in by that."""
        requests = self._fleet.shared.requests
        names = {entry.router.config.name for entry in self._entries}
        before = {entry.before.name for entry in self._entries}
        for name in before.union(one.config.name for one in self.removed) - names:
            if requests is not None:
                requests.drop(name)
        for router in self.removed:
            router.tell_deleted()
            router.hooks.close(_nobody)
        for group in self._removed_groups:
            group.hooks.close(_nobody)
        for entry in self._entries:
            entry.router.hooks.update(entry.candidate.instance, self.config.global_defs)
            if not entry.is_kept:
                entry.router.begin()
        for config, group in zip(self.config.groups, self._fleet.groups, strict=True):
            members = [one for one in self._fleet.routers if one.group is group]
            group.update(config, self.config.global_defs, members)

    def _make_groups(self) -> list[SyncGroup]:
        """Return the running selves of the sync groups; those of the same name go on."""
        known = {group.config.name: group for group in self._fleet.groups}
        common, loop = self.config.global_defs, self._fleet.shared.loop
        return [
            known.get(one.name) or SyncGroup(one, Hooks(one, common, loop=loop))
            for one in self.config.groups
        ]

    def _step(self, groups: list[SyncGroup]) -> list[Note]:
        hot = self._fleet.shared.hot
        for _ in range(_ATTEMPTS):
            states = {one.slot: hot.status(one.slot)["state"] for one in self._fleet.routers}
            try:
                notes = hot.apply(self._make_step(groups, states))
            except ValueError as error:
                raise EngineError(str(error)) from error
            if notes is not None:
                return notes
        raise EngineError("the routers change their states all the time: try again")

    def _make_step(self, groups: list[SyncGroup], states: dict[int, State]) -> Step:
        slots = [one.slot for one in (*self._fleet.routers, *(e.router for e in self._entries))]
        old_groups = {group.config.name: n for n, group in enumerate(self._fleet.groups)}
        held = _Held(
            self._fleet.routers, states, [e for e in self._entries if self._stays(e, states)]
        )
        return Step(
            expected=states,
            routers=max(slots, default=0) + 1,
            ports=self._fleet.shared.ports.capacity,
            changes=(
                *(self._end(router, held) for router in self.removed),
                *(self._change(entry, held) for entry in self._entries),
            ),
            groups=tuple(
                tuple(e.router.slot for e in self._entries if e.router.group is group)
                for group in groups
            ),
            old_groups={
                n: old_groups[group.config.name]
                for n, group in enumerate(groups)
                if group.config.name in old_groups
            },
        )

    def _stays(self, entry: _Entry, states: dict[int, State]) -> bool:
        """Tell if a router is active, and goes on to be."""
        return (
            entry.is_kept
            and states.get(entry.router.slot) is State.ACTIVE
            and not entry.router.faults
        )

    def _end(self, router: VirtualRouter, held: "_Held") -> Change:
        return Change(slot=router.slot, params=None, farewell=self._farewell(router, held))

    def _farewell(self, router: VirtualRouter, held: "_Held") -> Prepared | None:
        """Return what a router that ends sends: it withdraws what nobody holds from now on."""
        supply, requests = router.placement.supply, self._fleet.shared.requests
        if supply is None or requests is None:
            return None
        name = router.config.name
        gone = held.gone(supply.place.removable)
        return replace(supply.prepared, withdraw=requests.removals(name, gone, once=True))

    def _change(self, entry: _Entry, held: "_Held") -> Change:
        router, supply = entry.router, entry.supply
        params = replace(
            entry.candidate.params,
            priority=router.effective_priority,
            faults=int(router.fault_set()),
        )
        change = Change(
            slot=router.slot,
            name=router.config.name,
            params=params,
            fresh=not entry.is_kept,
            port=supply.port if supply is not None else -1,
            source=supply.place.source.packed if supply is not None else b"",
            prepared=supply.prepared if supply is not None else None,
        )
        requests = self._fleet.shared.requests
        if not entry.is_kept:
            return replace(change, farewell=self._farewell(router, held))
        if requests is None:
            return change
        name = router.config.name
        wanted = supply.place.holdings if supply is not None else ()
        return replace(
            change,
            withdraw=requests.removals(name, held.gone(router.placement.removable), once=True),
            install=requests.batches(name, held.new(wanted), once=True),
        )


class _Held:
    """What active routers have set until now, and what those that stay active have set then."""

    def __init__(
        self,
        routers: Iterable[VirtualRouter],
        states: dict[int, State],
        staying: Iterable[_Entry],
    ) -> None:
        active = (one for one in routers if states.get(one.slot) is State.ACTIVE)
        self._before = {h.key: h.install for one in active for h in one.placement.held.values()}
        supplies = (entry.supply for entry in staying if entry.supply is not None)
        self._after = {h.key: h.install for one in supplies for h in one.place.holdings}

    def gone(self, holdings: Iterable[Holding]) -> list[Holding]:
        """Return those that are not held any more, or not as they are."""
        return [one for one in holdings if self._after.get(one.key) != one.install]

    def new(self, holdings: Iterable[Holding]) -> list[Holding]:
        """Return those that are not held yet, or not as they are."""
        return [one for one in holdings if self._before.get(one.key) != one.install]


def _nobody() -> None:
    """Nobody waits for the last scripts of what has ended."""


def _check_vrids(entries: Iterable[_Entry]) -> None:
    """Raise EngineError if two routers could not be told apart where they listen."""
    listening: dict[tuple[int, int], list[_Entry]] = {}
    for entry in entries:
        if entry.supply is not None:
            key = (entry.supply.port, entry.candidate.instance.vrid)
            listening.setdefault(key, []).append(entry)
    for together in listening.values():
        for one, other in combinations(together, 2):
            peers = [{peer.address for peer in e.candidate.instance.peers} for e in (one, other)]
            if not all(peers) or peers[0] & peers[1]:
                raise EngineError(other.router.placement.taken(other.candidate.instance.interface))
