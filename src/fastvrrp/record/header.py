"""The first line of a recording: what core to make. Secrets are left out; a replay decodes
nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from fastvrrp import __version__
from fastvrrp.core.acts import GarpParams, HmacParams, RouterParams
from fastvrrp.errors import RecordError
from fastvrrp.record.lines import LONGEST, address_from, address_text, integer

__all__ = ["FORMAT", "Header", "from_line", "to_line"]

FORMAT = 1
_MAGIC = "fastvrrp-record"
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
_MOST = 65535
"""Ports, groups and routers: more than an engine can have, and small enough to allocate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The core that was recorded: its routers by name, in order, and what else it was made with."""

    ports: int
    groups: int = 0
    tells_unknown_vrids: bool = False
    routers: tuple[tuple[str, RouterParams], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Garp:
    """`GarpParams` as read back."""

    delay: int
    repeat: int
    refresh: int
    refresh_repeat: int
    lower_prio_delay: int
    lower_prio_repeat: int


def to_line(header: Header) -> dict[str, object]:
    """Return `header` as a JSON object, without secrets."""
    return {
        _MAGIC: FORMAT,
        "version": __version__,
        "ports": header.ports,
        "groups": header.groups,
        "tells_unknown_vrids": header.tells_unknown_vrids,
        "routers": [{"name": name} | _write_params(params) for name, params in header.routers],
    }


def from_line(line: Mapping[str, Any]) -> Header:
    """Return the header that `line` was made of; raises RecordError."""
    if _MAGIC not in line:
        raise RecordError("it is no recording: the first line has no member fastvrrp-record")
    if line[_MAGIC] != FORMAT:
        raise RecordError(f"its format is {line[_MAGIC]}, this version reads {FORMAT}")
    try:
        return Header(
            ports=_count(line["ports"]),
            groups=_count(line["groups"]),
            tells_unknown_vrids=bool(line["tells_unknown_vrids"]),
            routers=tuple(
                (str(each["name"]), _read_params(each)) for each in line["routers"][:_MOST]
            ),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"the first line cannot be read: {error!r}") from error


def _count(value: object) -> int:
    count = integer(value)
    if not 0 <= count <= _MOST:
        raise ValueError(f"{count} is outside 0..{_MOST}")
    return count


def _write_params(params: RouterParams) -> dict[str, object]:
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


def _read_params(line: Mapping[str, Any]) -> RouterParams:
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
