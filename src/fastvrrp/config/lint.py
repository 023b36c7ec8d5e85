"""What is legal and does not do what its author thinks: one function per rule, all notes.

keepalived says nothing about these; neither the model nor the exit status of `-t` depends on them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from fastvrrp.config.diagnostics import INCLUDED, Related, Span
from fastvrrp.config.model import InstanceConfig, ScriptConfig, SyncGroup, TrackUse
from fastvrrp.config.rules.facts import OWNER
from fastvrrp.config.rules.tracking import strength

if TYPE_CHECKING:
    from fastvrrp.config.collect import Setting, Settings
    from fastvrrp.config.rules.around import Around

__all__ = ["lint"]

_LOWEST, _HIGHEST = 1, 254
"""Of a priority that changes."""

_WEIGHED = ("scripts", "interfaces", "processes", "probes", "bfd")
"""What changes the priority by its weight alone; a file has a number besides."""

_PRIORITY = re.compile(r"priority[ \t]+(\d{1,3})(?![^ \t])")


def lint(around: Around) -> None:
    """Report everything that this module knows about a configuration that can run."""
    if around.report.failed:
        return
    others = _priorities_of_others(around)
    for settings in around.root.blocks.get("instances", ()):
        instance = around.make(settings)
        if isinstance(instance, InstanceConfig):
            _weights(instance, settings, others.get(instance.name, set()), around)
            for rule in _INSTANCE_RULES:
                rule(instance, settings, around)
    for check in _CHECKS:
        check(around)


def _note(  # noqa: PLR0917 - one of each, in the order in which they are printed
    around: Around,
    settings: Settings,
    code: str,
    message: str,
    span: Span,
    hint: str,
    *,
    related: Related | None = None,
) -> None:
    around.report.note(code, message, span, hint=hint, context=settings.context, related=related)


class _Weight(NamedTuple):
    """A tracked thing with a weight, and where it is tracked."""

    name: str
    weight: int
    span: Span


def _weighed(instance: InstanceConfig, settings: Settings, around: Around) -> Iterator[_Weight]:
    """Yield what changes the priority of an instance."""
    for key in _WEIGHED:
        lines = settings.lists.get(key)
        if not lines:
            continue
        uses: dict[str, TrackUse] = {use.name: use for use in getattr(instance, key)}
        for setting in lines:
            use = uses.pop(getattr(setting.value, "name", ""), None)
            weight = 0 if use is None else strength(key, use, around)[0]
            if use is not None and weight:
                yield _Weight(use.name, weight, setting.statement.span)


def _weights(
    instance: InstanceConfig, settings: Settings, others: set[int], around: Around
) -> None:
    """Weights without any effect, or with less than they say."""
    weights = list(_weighed(instance, settings, around))
    if not weights or any(strength("files", use, around)[0] for use in instance.files):
        return
    low = instance.priority + sum(one.weight for one in weights if one.weight < 0)
    high = instance.priority + sum(one.weight for one in weights if one.weight > 0)
    for one in weights:
        at_limit = low >= _HIGHEST if one.weight > 0 else high <= _LOWEST
        if at_limit:
            _note(
                around,
                settings,
                "FV301",
                f"the weight of {one.name} never changes the priority: {instance.priority} is at"
                " its limit",
                one.span,
                "priorities that change stay between 1 and 254; choose a priority in between",
            )
    if low < _HIGHEST < high:
        _note(
            around,
            settings,
            "FV302",
            f"priority {instance.priority} and all positive weights make {high}, which counts as"
            " 254",
            next(one.span for one in reversed(weights) if one.weight > 0),
            "lower the priority, or use a negative weight: it is taken off while the check fails",
        )
    _never_decide(instance, settings, (weights, high - low, others), around)


def _never_decide(
    instance: InstanceConfig,
    settings: Settings,
    facts: tuple[list[_Weight], int, set[int]],
    around: Around,
) -> None:
    """Weights that are too small for the priorities that the file has for other nodes."""
    weights, total, others = facts
    differences = {abs(instance.priority - other) for other in others}
    if not differences or min(differences) <= total:
        return
    nearest = min(others, key=lambda other: abs(instance.priority - other))
    _note(
        around,
        settings,
        "FV301",
        f"weights of {total} in all never change who is active: priority {instance.priority} here"
        f" and {nearest} of another node differ by more",
        weights[0].span,
        "write weights that are larger than the difference, or priorities that are closer",
    )


def _priorities_of_others(around: Around) -> dict[str, set[int]]:
    """Return what `@id priority N` lines say for other nodes, by the name of the instance."""
    matches = ((span, _PRIORITY.match(text)) for span, text in around.report.skipped)
    priorities = [(span, int(match[1])) for span, match in matches if match is not None]
    heads: dict[str, list[tuple[int, Settings]]] = {}
    for block in (one for blocks in around.root.blocks.values() for one in blocks):
        if priorities:
            heads.setdefault(block.head.file, []).append((block.head.line, block))
    for lines in heads.values():
        lines.sort(key=itemgetter(0))
    found: dict[str, set[int]] = {}
    for span, priority in priorities:
        above = heads.get(span.file, [])
        index = bisect_right(above, span.line, key=itemgetter(0))
        if index and above[index - 1][1].block.name == "vrrp_instance":
            found.setdefault(above[index - 1][1].name, set()).add(priority)
    return found


def _delay_of_an_owner(instance: InstanceConfig, settings: Settings, around: Around) -> None:
    """The address owner takes over at once, whatever it was told to wait."""
    delay = settings.values.get("preempt_delay")
    if delay is not None and instance.priority == OWNER and instance.preempt_delay:
        _note(
            around,
            settings,
            "FV304",
            "preempt_delay has no effect with priority 255: the address owner takes over at once",
            delay.statement.span,
            "write a priority below 255, or remove preempt_delay",
        )


def _announcement_never_sent(instance: InstanceConfig, settings: Settings, around: Around) -> None:
    """Repeats of an announcement that is switched off."""
    garp = instance.garp
    pairs = (
        ("garp.refresh_repeat", garp.refresh, "garp_master_refresh"),
        ("garp.lower_prio_delay", garp.lower_prio_repeat, "garp_lower_prio_repeat"),
    )
    for key, switch, keyword in pairs:
        if not switch:
            _tell_never_sent(settings.values.get(key), keyword, settings, around)


def _tell_never_sent(
    written: Setting | None, switch: str, settings: Settings, around: Around
) -> None:
    if written is not None:
        _note(
            around,
            settings,
            "FV306",
            f"{written.row.name} announces nothing: {switch} is 0",
            written.statement.span,
            f"write {switch} as well, or remove this line",
        )


_INSTANCE_RULES: tuple[Callable[[InstanceConfig, Settings, Around], None], ...] = (
    _delay_of_an_owner,
    _announcement_never_sent,
)


def _default_never_announced(around: Around) -> None:
    """Repeats in global_defs of an announcement that no instance makes."""
    settings = around.root.block_of("global_defs")
    written = None if settings is None else settings.values.get("garp.refresh_repeat")
    if settings is None or written is None or around.global_defs.garp.refresh:
        return
    if not any(one.garp.refresh for one in around.named("instances", InstanceConfig).values()):
        _tell_never_sent(written, "vrrp_garp_master_refresh", settings, around)


def _failure_is_fault(around: Around) -> None:
    """Scripts without weight: failure means FAULT, wherever the other routers stand. Once each."""
    first: dict[str, tuple[Settings, Setting, bool]] = {}
    who: dict[str, list[str]] = {}
    for key in ("instances", "groups"):
        for settings in around.root.blocks.get(key, ()):
            for setting, use in _unweighted(settings, around):
                reverse = strength("scripts", use, around)[1]
                first.setdefault(use.name, (settings, setting, reverse))
                who.setdefault(use.name, []).append(settings.name)
    for name, (settings, setting, reverse) in first.items():
        names = who[name]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        _note(
            around,
            settings,
            "FV303",
            f"{name} has no weight: while it {'succeeds' if reverse else 'fails'}, {names[0]}{more}"
            f" {'are' if more else 'is'} in FAULT, and no address is held here",
            setting.statement.span,
            f"right if no service is better than a broken one; else write {name} weight -20",
        )


def _unweighted(settings: Settings, around: Around) -> Iterator[tuple[Setting, TrackUse]]:
    """Yield the lines of `track_script` that make a fault."""
    lines = settings.lists.get("scripts")
    model = around.make(settings) if lines else None
    if not isinstance(model, InstanceConfig | SyncGroup):
        return
    uses = {use.name: use for use in model.scripts}
    for setting in lines or ():
        use = uses.pop(getattr(setting.value, "name", ""), None)
        if use is not None and not strength("scripts", use, around)[0]:
            yield setting, use


def _different_groups(around: Around) -> None:
    """Multicast groups that differ between instances of one interface."""
    links: dict[tuple[str, int], dict[object, InstanceConfig]] = {}
    for instance in around.named("instances", InstanceConfig).values():
        if instance.interface and not instance.peers:
            groups = links.setdefault((instance.interface, instance.family), {})
            groups.setdefault(instance.multicast_group(around.global_defs), instance)
    for settings in around.root.blocks.get("instances", ()):
        written = settings.values.get("mcast_group")
        own = around.make(settings) if written is not None else None
        if written is None or not isinstance(own, InstanceConfig) or not own.mcast_group:
            continue
        groups = links.get((own.interface, own.family), {})
        other = next((group for group in groups if group != own.mcast_group), None)
        if other is None:
            continue
        one = groups[other]
        _note(
            around,
            settings,
            "FV305",
            f"adverts of {own.name} go to {own.mcast_group}, those of {one.name} on the"
            f" same interface to {other}",
            written.span,
            f"every router of virtual_router_id {own.vrid} must have the same group: one that"
            " has another becomes active as well",
            related=Related(f"{one.name} is", one.span) if one.span is not None else None,
        )


def _timeout_not_below_interval(around: Around) -> None:
    """Scripts that may take as long as the time to their next run: the run is left out."""
    for settings in around.root.blocks.get("scripts", ()):
        script, timeout = around.make(settings), settings.values.get("timeout")
        if not isinstance(script, ScriptConfig) or timeout is None or script.timeout is None:
            continue
        if script.timeout >= script.interval:
            _note(
                around,
                settings,
                "FV307",
                f"timeout of {script.name} is not below its interval: a script that hangs is"
                " noticed only after the next run was due",
                timeout.statement.span,
                "write a timeout below interval",
            )


def _members_pull_apart(around: Around) -> None:
    """Members of a sync group that would have different routers if each preempts for itself."""
    named = around.named("instances", InstanceConfig)
    for settings in around.root.blocks.get("groups", ()):
        names = [str(setting.value) for setting in settings.lists.get("members", ())]
        members = [named[name] for name in names if name in named]
        other = next((one for one in members if one.priority != members[0].priority), None)
        if other is None or not any(one.preempt for one in members):
            continue
        _note(
            around,
            settings,
            "FV308",
            f"{members[0].name} has priority {members[0].priority} and {other.name} "
            f"{other.priority}: each preempts for itself, and the group moves with it",
            settings.head,
            "give all members one priority, or write nopreempt in all of them",
            related=Related(f"{other.name} is", other.span) if other.span is not None else None,
        )


def _secrets_for_everybody(around: Around) -> None:
    """Passwords and keys in a file that every user of the machine can read: told once per file."""
    told: set[str] = set()
    for settings in around.root.blocks.get("instances", ()):
        for setting in _secrets(settings):
            span = _origin(setting.span)
            source = around.report.sources.get(span.file)
            if source is None or span.file in told or not source.mode & 0o004:
                continue
            told.add(span.file)
            _note(
                around,
                settings,
                "FV309",
                "every user of this machine can read the secrets in this file"
                f" (mode {source.mode:04o})",
                span,
                f"run: chmod 600 {span.file}",
            )


def _secrets(settings: Settings) -> Iterator[Setting]:
    """Yield the secrets that an instance has in the text, not those in files of their own."""
    for block in settings.blocks.get("auth", ()):
        if "password" in block.values:
            yield block.values["password"]
    for block in settings.blocks.get("hmac", ()):
        for key in block.lists.get("keys", ()):
            if getattr(key.value, "secret", None) is not None:
                yield key


def _origin(span: Span) -> Span:
    """Return where a word was written: where its definition is, if it came from one."""
    return next((place.span for place in span.via if place.message != INCLUDED), span)


_CHECKS: tuple[Callable[[Around], None], ...] = (
    _default_never_announced,
    _failure_is_fault,
    _different_groups,
    _timeout_not_below_interval,
    _members_pull_apart,
    _secrets_for_everybody,
)
