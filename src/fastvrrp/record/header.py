"""The first line of a recording: what core to make. Secrets are left out; a replay decodes
nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastvrrp import __version__
from fastvrrp.core.acts import RouterParams
from fastvrrp.errors import RecordError
from fastvrrp.record.parameters import MOST, count, read_params, write_params

__all__ = ["FORMAT", "Header", "from_line", "to_line"]

FORMAT = 1
_MAGIC = "fastvrrp-record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The core that was recorded: its routers by name, in order, and what else it was made with.
    `capacity` routers have room, or as many as there are."""

    ports: int
    capacity: int = 0
    groups: int = 0
    tells_unknown_vrids: bool = False
    routers: tuple[tuple[str, RouterParams], ...] = ()


def to_line(header: Header) -> dict[str, object]:
    """Return `header` as a JSON object, without secrets."""
    return {
        _MAGIC: FORMAT,
        "version": __version__,
        "capacity": header.capacity,
        "ports": header.ports,
        "groups": header.groups,
        "tells_unknown_vrids": header.tells_unknown_vrids,
        "routers": [{"name": name} | write_params(params) for name, params in header.routers],
    }


def from_line(line: Mapping[str, Any]) -> Header:
    """Return the header that `line` was made of; raises RecordError."""
    if _MAGIC not in line:
        raise RecordError("it is no recording: the first line has no member fastvrrp-record")
    if line[_MAGIC] != FORMAT:
        raise RecordError(f"its format is {line[_MAGIC]}, this version reads {FORMAT}")
    try:
        return Header(
            capacity=count(line.get("capacity", 0)),
            ports=count(line["ports"]),
            groups=count(line["groups"]),
            tells_unknown_vrids=bool(line["tells_unknown_vrids"]),
            routers=tuple(
                (str(each["name"]), read_params(each)) for each in line["routers"][:MOST]
            ),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"the first line cannot be read: {error!r}") from error
