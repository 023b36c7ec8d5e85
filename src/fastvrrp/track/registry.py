"""All trackers of one configuration, each made once, and who uses them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from fastvrrp.track.file import FileTracker
from fastvrrp.track.interface import InterfaceTracker
from fastvrrp.track.probe import ProbeTracker
from fastvrrp.track.prober import Prober
from fastvrrp.track.process import ProcessTracker
from fastvrrp.track.procs import ProcessWatcher
from fastvrrp.track.script import ScriptTracker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastvrrp.config.model import (
        Config,
        InstanceConfig,
        ProbeConfig,
        ScriptConfig,
        SyncGroup,
        TrackFile,
        TrackProcess,
        TrackUse,
    )
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
    group without `sync_group_tracking_weight`. `waits` False: nobody is held back until its first
    result."""

    use: TrackUse
    tracker: Tracker
    weighs: bool = True
    waits: bool = True

    def contribution(self) -> Contribution:
        """Return what it does to the instance."""
        given = self.tracker.contribution(self.use)
        if given.weight and not self.weighs:
            given = replace(given, weight=0)
        return replace(given, pending=False) if given.pending and not self.waits else given


class _Wanted(NamedTuple):
    """A tracker that is used: what it follows from, and what makes it; None: it may not be used."""

    kind: str
    name: str
    config: object
    make: Callable[[], Tracker | None]


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
        self._loop = loop
        self._is_up = is_up
        self._on_change = on_change
        self._watcher = ProcessWatcher(loop=loop)
        self._prober = Prober(loop=loop)
        self._made: dict[tuple[str, str], Tracker] = {}
        self._configs: dict[tuple[str, str], object] = {}
        self._late: set[Tracker] = set()
        self._ending: list[Tracker] = []
        self._is_started = False
        self._on_stopped: Callable[[], object] | None = None
        self._config = config
        self._make()

    def __len__(self) -> int:
        """Return how many there are, those that a reload has ended included; each calls
        `on_stopped` once."""
        return len(self._made) + len(self._ending)

    def start(self) -> None:
        """Begin to track."""
        self._is_started = True
        for tracker in self._made.values():
            tracker.start()

    def update(self, config: Config) -> None:
        """Track what `config` says from now on; who asks looks at all contributions afterwards.

        What looks at the same thing as before is the same tracker with the same verdict, and does
        not call `on_change`; what is new begins at once, and holds nobody back until its first
        result, as in keepalived.
        """
        before = dict(self._made)
        self._config = config
        self._make()
        self._look_at_links(tells=False)
        kept = set(self._made.values())
        self._late &= kept
        if self._is_started:
            for tracker in self._made.values():
                if before.get((tracker.kind, tracker.name)) is not tracker:
                    self._late.add(tracker)
                    tracker.start()
        for tracker in before.values():
            if tracker not in kept:
                self._end(tracker)

    def stop(self, on_stopped: Callable[[], object]) -> None:
        """End; `on_stopped` is called once for each tracker that is gone."""
        self._on_stopped = on_stopped
        for tracker in tuple(self._ending):
            tracker.stop(partial(self._gone, tracker))
        for tracker in self._made.values():
            tracker.stop(on_stopped)

    def _end(self, tracker: Tracker) -> None:
        self._ending.append(tracker)
        tracker.stop(partial(self._gone, tracker))

    def _gone(self, tracker: Tracker) -> None:
        self._ending.remove(tracker)
        if self._on_stopped is not None:
            self._on_stopped()

    def look_at_links(self) -> None:
        """Let the trackers of interfaces see what has changed."""
        self._look_at_links(tells=True)

    def _look_at_links(self, *, tells: bool) -> None:
        for tracker in self._made.values():
            if isinstance(tracker, InterfaceTracker):
                tracker.look(tells=tells)

    def of(self, instance: InstanceConfig) -> tuple[Tracked, ...]:
        """Return what `instance` tracks, and what its sync group does; if both track the same
        thing, the instance's own line counts."""
        group = self._group(instance)
        weighs = group is None or group.tracking_weight
        found: dict[tuple[str, str], Tracked] = {}
        for owner, counts in ((instance, weighs), (group, True)):
            for key, use in self._uses(owner) if owner is not None else ():
                tracker = self._made[key]
                tracked = Tracked(use, tracker, counts, tracker not in self._late)
                found.setdefault(key, tracked)
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

    # ---- making ----

    def _make(self) -> None:
        """Make what is used, unless there is one that can go on."""
        before, self._made = self._made, {}
        configs, self._configs = self._configs, {}
        for wanted in self._wanted():
            key = (wanted.kind, wanted.name)
            old = before.get(key)
            if old is None or configs[key] != wanted.config:
                fresh = wanted.make()
                if fresh is None:
                    continue
                old = old if old is not None and old.become(fresh) else fresh
            self._made[key] = old
            self._configs[key] = wanted.config

    def _wanted(self) -> Iterator[_Wanted]:
        """Yield what is used, by field of an instance."""
        used: dict[str, set[str]] = {field: set() for field in _KINDS}
        for owner in self._owners():
            for field, names in used.items():
                names.update(use.name for use in getattr(owner, field))
        config = self._config
        for script in config.scripts:
            if script.name in used["scripts"]:
                what = (script, config.global_defs)
                yield _Wanted("script", script.name, what, partial(self._script, script))
        for name in sorted(used["interfaces"]):
            yield _Wanted("interface", name, name, partial(self._interface, name))
        for file in config.files:
            if file.name in used["files"]:
                yield _Wanted("file", file.name, file, partial(self._file, file))
        for process in config.processes:
            if process.name in used["processes"]:
                yield _Wanted("process", process.name, process, partial(self._process, process))
        for probe in config.probes:
            if probe.name in used["probes"]:
                yield _Wanted("probe", probe.name, probe, partial(self._probe, probe))

    def _script(self, config: ScriptConfig) -> Tracker | None:
        defaults = self._config.global_defs
        made = ScriptTracker(config, defaults, loop=self._loop, on_change=self._on_change)
        return made if made.usable else None

    def _interface(self, name: str) -> Tracker:
        return InterfaceTracker(name, is_up=self._is_up, on_change=self._on_change)

    def _file(self, config: TrackFile) -> Tracker | None:
        made = FileTracker(
            config, loop=self._loop, on_change=self._on_change, creates=not self._is_started
        )
        return made if made.usable else None

    def _process(self, config: TrackProcess) -> Tracker:
        return ProcessTracker(
            config, loop=self._loop, on_change=self._on_change, watcher=self._watcher
        )

    def _probe(self, config: ProbeConfig) -> Tracker:
        return ProbeTracker(
            config,
            on_change=self._on_change,
            prober=self._prober,
            watcher=self._watcher,
            is_up=self._is_up,
        )
