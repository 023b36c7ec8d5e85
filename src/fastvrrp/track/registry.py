"""All trackers of one configuration, each made once, and who uses them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from fastvrrp.track.file import FileTracker
from fastvrrp.track.interface import InterfaceTracker
from fastvrrp.track.probe import ProbeTracker
from fastvrrp.track.prober import Prober
from fastvrrp.track.process import ProcessTracker
from fastvrrp.track.procs import ProcessWatcher
from fastvrrp.track.script import ScriptTracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastvrrp.config.model import Config, InstanceConfig, SyncGroup, TrackUse
    from fastvrrp.reactor import Loop
    from fastvrrp.track.base import Contribution, Tracker

__all__ = ["Tracked", "Trackers"]


_KINDS = {
    "scripts": "script",
    "interfaces": "interface",
    "files": "file",
    "processes": "process",
    "probes": "probe",
}
"""Fields of an instance and of a sync group that hold what it tracks, and the kind of it."""


class Tracked(NamedTuple):
    """One use of a tracker by an instance. `weighs` False: its weight does nothing, as in a sync
    group without `sync_group_tracking_weight`."""

    use: TrackUse
    tracker: Tracker
    weighs: bool = True

    def contribution(self) -> Contribution:
        """Return what it does to the instance."""
        given = self.tracker.contribution(self.use)
        return given if self.weighs or not given.weight else replace(given, weight=0)


class Trackers:
    """What the instances of `config` and their sync groups track.

    `is_up` tells the state of an interface. `on_change(tracker)` is called when what a tracker
    contributes has changed. What is defined but not used is not tracked.
    """

    def __init__(
        self,
        config: Config,
        *,
        loop: Loop,
        is_up: Callable[[str], bool],
        on_change: Callable[[Tracker], object],
    ) -> None:
        self._config = config
        self._loop = loop
        self._is_up = is_up
        self._on_change = on_change
        self._made: dict[tuple[str, str], Tracker] = {}
        used: dict[str, set[str]] = {field: set() for field in _KINDS}
        for owner in self._owners():
            for field, names in used.items():
                names.update(use.name for use in getattr(owner, field))
        for tracker in self._make(used):
            self._made[tracker.kind, tracker.name] = tracker

    def __len__(self) -> int:
        """Return how many there are; each calls `on_stopped` once."""
        return len(self._made)

    def start(self) -> None:
        """Begin to track."""
        for tracker in self._made.values():
            tracker.start()

    def stop(self, on_stopped: Callable[[], object]) -> None:
        """End; `on_stopped` is called once for each tracker that is gone."""
        for tracker in self._made.values():
            tracker.stop(on_stopped)

    def look_at_links(self) -> None:
        """Let the trackers of interfaces see what has changed."""
        for tracker in self._made.values():
            if isinstance(tracker, InterfaceTracker):
                tracker.look()

    def of(self, instance: InstanceConfig) -> tuple[Tracked, ...]:
        """Return what `instance` tracks, and what its sync group does; if both track the same
        thing, the instance's own line counts."""
        group = self._group(instance)
        weighs = group is None or group.tracking_weight
        found: dict[tuple[str, str], Tracked] = {}
        for owner, counts in ((instance, weighs), (group, True)):
            for key, use in self._uses(owner) if owner is not None else ():
                found.setdefault(key, Tracked(use, self._made[key], counts))
        return tuple(found.values())

    def _group(self, instance: InstanceConfig) -> SyncGroup | None:
        return next((g for g in self._config.groups if instance.name in g.members), None)

    def _owners(self) -> Iterator[InstanceConfig | SyncGroup]:
        """Yield the instances, each with its sync group."""
        for instance in self._config.instances:
            yield instance
            group = self._group(instance)
            if group is not None:
                yield group

    def _uses(
        self, owner: InstanceConfig | SyncGroup
    ) -> Iterator[tuple[tuple[str, str], TrackUse]]:
        """Yield each use of `owner` with the key of its tracker; what may not run has none."""
        for field, kind in _KINDS.items():
            for use in getattr(owner, field):
                if (kind, use.name) in self._made:
                    yield (kind, use.name), use

    def _make(self, used: dict[str, set[str]]) -> Iterator[Tracker]:
        """Make what is used, by field of an instance."""
        config = self._config
        for script in config.scripts:
            if script.name in used["scripts"]:
                made = ScriptTracker(
                    script, config.global_defs, loop=self._loop, on_change=self._on_change
                )
                if made.usable:
                    yield made
        for name in sorted(used["interfaces"]):
            yield InterfaceTracker(name, is_up=self._is_up, on_change=self._on_change)
        for file in config.files:
            if file.name in used["files"]:
                followed = FileTracker(file, loop=self._loop, on_change=self._on_change)
                if followed.usable:
                    yield followed
        watcher = ProcessWatcher(loop=self._loop)
        for process in config.processes:
            if process.name in used["processes"]:
                yield ProcessTracker(
                    process, loop=self._loop, on_change=self._on_change, watcher=watcher
                )
        prober = Prober(loop=self._loop)
        for probe in config.probes:
            if probe.name in used["probes"]:
                yield ProbeTracker(
                    probe,
                    on_change=self._on_change,
                    prober=prober,
                    watcher=watcher,
                    is_up=self._is_up,
                )
