"""What can be tracked besides scripts, and what keywords mean: processes, probes, BFD."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastvrrp.config.assemble import fields_of
from fastvrrp.config.diagnostics import Related
from fastvrrp.config.model import Address, BfdInstance, ProbeConfig, TrackProcess

if TYPE_CHECKING:
    from fastvrrp.config.collect import Setting, Settings
    from fastvrrp.config.rules.around import Around

__all__ = ["make_bfd", "make_probe", "make_process", "settle_sessions"]

_TTL = {4: 255, 6: 64}
"""What packets are sent with if nothing is written."""


def make_process(settings: Settings, around: Around) -> TrackProcess:
    """Return a process; with parameters its whole command line is compared."""
    _drop_overridden_delays(settings)
    _drop_conflicting_quorum(settings, around)
    fields = fields_of(settings, around.make)
    command = cast("tuple[str, ...]", fields["command"])
    fields["full_command"] = (
        bool(fields.get("full_command")) or len(command) > 1 or "param_match" in fields
    )
    if not fields["full_command"] and "/" in command[0]:
        around.report.note(
            "FV350",
            f"no process has the name {command[0]}: a name has no path",
            settings.values["command"].span,
            hint=f"write process {command[0].rpartition('/')[2]}, or add full_command",
            context=settings.context,
        )
    return TrackProcess(**fields)  # type: ignore[arg-type]  # checked by the schema's rows


def _drop_overridden_delays(settings: Settings) -> None:
    """Forget single delays above a `delay`, which stands for both."""
    keys = list(settings.values)
    for key in keys[: keys.index("delays")] if "delays" in keys else ():
        if key.startswith("delays."):
            del settings.values[key]


def _drop_conflicting_quorum(settings: Settings, around: Around) -> None:
    """Report a quorum above its maximum; what is written first counts.

    A maximum of 0 stands for itself, and may follow the quorum that there is without a word.
    """
    quorum, most = settings.values.get("quorum"), settings.values.get("quorum_max")
    if quorum is None or most is None:
        return
    least, limit = cast(int, quorum.value), cast(int, most.value)
    keys = list(settings.values)
    later = most if keys.index("quorum") < keys.index("quorum_max") else quorum
    if least <= limit or (later is most and (least, limit) == (1, 0)):
        return
    around.report.warning(
        "FV250",
        f"quorum {least} is above quorum_max {limit}; {later.row.name} is ignored",
        later.span,
        hint="write a quorum_max that is not below quorum",
        context=settings.context,
    )
    del settings.values[later.row.key]


def make_probe(settings: Settings, around: Around) -> ProbeConfig | None:
    """Return a probe; None, reported, if it says nothing that it looks at."""
    if "target" not in settings.values:
        if "target" not in settings.rejected:
            kinds = [row.name for row in settings.block.rows if row.key == "target"]
            around.report.warning(
                "FV201",
                f"vrrp_probe {settings.name} looks at nothing; the block is skipped",
                settings.head,
                hint=f"add one of {', '.join(kinds)}, for example: tcp 127.0.0.1:80",
                context=settings.context,
            )
        return None
    return ProbeConfig(**fields_of(settings, around.make))  # type: ignore[arg-type]  # checked by the schema's rows


def settle_sessions(around: Around) -> None:
    """Leave out BFD sessions that cannot be told from one above them."""
    seen: dict[object, Settings] = {}
    sessions = around.root.blocks.get("bfd_instances", [])
    for settings in tuple(sessions):
        values = (settings.get(key) for key in ("neighbor", "source"))
        ends = (*values, settings.get("multihop", False))
        first = seen.setdefault(ends, settings)
        if first is settings or ends[0] is None:
            continue
        around.report.warning(
            "FV253",
            f"bfd_instance {first.name} has the same neighbour; {settings.name} is left out",
            settings.values["neighbor"].span,
            hint="track the other one in its place, or write another source_ip",
            related=Related("the other one is", first.head),
            context=settings.context,
        )
        sessions.remove(settings)
        around.root.taken.pop(("bfd_instances", settings.name), None)
        around.root.rejected["bfd_instances"] = settings.head


def make_bfd(settings: Settings, around: Around) -> BfdInstance | None:
    """Return a session; None, reported, if its two ends are of two families."""
    fields = fields_of(settings, around.make)
    neighbor, source = cast(Address, fields["neighbor"]), settings.values.get("source")
    if source is not None and cast(Address, source.value).version != neighbor.version:
        around.report.warning(
            "FV251",
            f"{source.value} and {neighbor} are of two families; the bfd_instance is left out",
            source.span,
            hint=f"write an IPv{neighbor.version} address of this machine",
            context=settings.context,
        )
        return None
    ttl = cast(int, settings.get("ttl", _TTL[neighbor.version]))
    hops = settings.values.get("max_hops")
    if hops is not None and cast(int, hops.value) > ttl:
        fields["max_hops"] = ttl
        _tell_hops(hops, ttl, settings, around)
    return BfdInstance(**fields)  # type: ignore[arg-type]  # checked by the schema's rows


def _tell_hops(hops: Setting, ttl: int, settings: Settings, around: Around) -> None:
    around.report.warning(
        "FV252",
        f"no packet with a TTL or hop limit of {ttl} passes {hops.value} routers; "
        f"max_hops {ttl} is used",
        hops.span,
        hint=f"write max_hops {ttl} or less",
        context=settings.context,
    )
