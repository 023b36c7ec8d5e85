"""What a recording says of the configuration: the parameters of routers, and how they change.
Secrets are left out; a replay decodes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from fastvrrp.core.acts import GarpParams, HmacParams, Revision, RouterChange, RouterParams
from fastvrrp.errors import RecordError
from fastvrrp.record.values import LONGEST, address_from, address_text, integer

__all__ = ["MOST", "count", "read_params", "read_revision", "write_params", "write_revision"]

_SECRET = {"password"}
_ADDRESSES = {"addresses", "allowed_peers", "peers"}
_ADDRESS = {"source", "group_address"}
_GARP = (
    "delay",
    "repeat",
    "refresh",
    "refresh_repeat",
    "lower_prio_delay",
    "lower_prio_repeat",
)
_HMAC = ("active_key", "monotonic", "window", "mode", "hold")
_STAND_IN = bytes(32)
MOST = 65535
"""Ports, groups and routers: more than an engine can have, and small enough to allocate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Garp:
    """`GarpParams` as read back."""

    delay: int
    repeat: int
    refresh: int
    refresh_repeat: int
    lower_prio_delay: int
    lower_prio_repeat: int


def count(value: object) -> int:
    """Return how many ports, groups or routers `value` says; raises ValueError, RecordError."""
    number = integer(value)
    if not 0 <= number <= MOST:
        raise ValueError(f"{number} is outside 0..{MOST}")
    return number


def write_params(params: RouterParams) -> dict[str, object]:
    """Return `params` as members of a line, without secrets."""
    line: dict[str, object] = {}
    for field in fields(params):
        value = getattr(params, field.name)
        if field.name in _ADDRESSES:
            line[field.name] = [address_text(each) for each in value]
        elif field.name in _ADDRESS:
            line[field.name] = address_text(value)
        elif field.name == "garp":
            line[field.name] = {name: getattr(value, name) for name in _GARP}
        elif field.name == "hmac":
            line[field.name] = None if value is None else _write_hmac(value)
        elif field.name not in _SECRET:
            line[field.name] = value
    return line


def _write_hmac(hmac: HmacParams) -> dict[str, object]:
    members: dict[str, object] = {name: getattr(hmac, name) for name in _HMAC}
    return {"key_ids": [number for number, _ in hmac.keys]} | members


def read_params(line: Mapping[str, Any]) -> RouterParams:
    """Return what `write_params` was given, with a key that is none; raises KeyError, TypeError,
    ValueError or RecordError."""
    values = {name: value for name, value in line.items() if name != "name"}
    for name in _ADDRESSES & values.keys():
        values[name] = tuple(map(address_from, values[name]))
    for name in _ADDRESS & values.keys():
        values[name] = address_from(values[name])
    values["peer_ttls"] = tuple(tuple(pair) for pair in values.get("peer_ttls", ()))
    values["garp"] = _read_garp(values["garp"])
    if values.get("hmac") is not None:
        values["hmac"] = _read_hmac(values["hmac"])
    if any(isinstance(value, int) and value >= LONGEST for value in values.values()):
        raise ValueError("a number is too large")
    return RouterParams(**values)


def _read_garp(line: Mapping[str, Any]) -> GarpParams:
    garp = {name: integer(value) for name, value in line.items()}
    if any(not 0 <= value < LONGEST for value in garp.values()):
        raise ValueError("a number of garp is out of range")
    return _Garp(**garp)


def _read_hmac(line: Mapping[str, Any]) -> HmacParams:
    keys = tuple((number, _STAND_IN) for number in line["key_ids"])
    return HmacParams(keys=keys, **{name: line[name] for name in _HMAC})


# ---- a reload ----


def write_revision(revision: Revision) -> dict[str, object]:
    """Return `revision` as a JSON object."""
    return {
        "changes": [_write_change(change) for change in revision.changes],
        "groups": [list(members) for members in revision.groups],
        "old_groups": {str(new): old for new, old in revision.old_groups.items()},
    }


def read_revision(value: object) -> Revision:
    """Return what `write_revision` was given; raises RecordError."""
    try:
        line: Mapping[str, Any] = value  # type: ignore[assignment] # what is none raises below
        return Revision(
            changes=tuple(map(_read_change, line["changes"])),
            groups=tuple(tuple(map(count, members)) for members in line["groups"]),
            old_groups={int(new): integer(old) for new, old in line["old_groups"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"the revision cannot be read: {error!r}") from error


def _write_change(change: RouterChange) -> dict[str, object]:
    return {
        "vr": change.slot,
        "name": change.name,
        "fresh": change.fresh,
        "listens_anew": change.listens_anew,
        "port": change.port,
        "source": address_text(change.source),
        "params": None if change.params is None else write_params(change.params),
    }


def _read_change(line: Mapping[str, Any]) -> RouterChange:
    return RouterChange(
        slot=count(line["vr"]),
        name=str(line["name"]),
        fresh=bool(line["fresh"]),
        listens_anew=bool(line["listens_anew"]),
        port=integer(line["port"]),
        source=address_from(line["source"]),
        params=None if line["params"] is None else read_params(line["params"]),
    )
