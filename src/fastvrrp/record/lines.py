"""One line of a recording: `Entry` to JSON and back. The table below is the format."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from typing import Any

from fastvrrp.errors import RecordError
from fastvrrp.loop.entries import Entry, EntryKind, Heard
from fastvrrp.names import Fault, NoteKind, RejectReason
from fastvrrp.record.parameters import read_revision, write_revision
from fastvrrp.record.values import (
    LATEST,
    LONGEST,
    address_from,
    address_text,
    integer,
    unsigned,
    within,
)

__all__ = ["from_line", "to_line"]

_UINT64 = (1 << 64) - 1


# ---- values ----


def _padded(text: object) -> bytes:
    return address_from(text).ljust(16, b"\0")


def _fault_names(faults: int) -> list[str]:
    return [fault.name.lower() for fault in Fault(faults) if fault.name]


def _faults(names: object) -> int:
    if not isinstance(names, list):
        raise RecordError(f"{names!r} is no list of faults")
    total = Fault(0)
    for name in names:
        try:
            total |= Fault[str(name).upper()]
        except KeyError:
            raise RecordError(f"{name!r} is no fault") from None
    return int(total)


def _note_kind(name: object) -> int:
    try:
        return NoteKind[str(name).upper()]
    except KeyError:
        raise RecordError(f"{name!r} is no kind of note") from None


# ---- the table ----


@dataclass(frozen=True, slots=True)
class _Field:
    """A member of a line: the attribute of `Entry`, and how it is written and read."""

    attribute: str
    write: Callable[[Any], object] = int
    read: Callable[[object], Any] = integer


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of line. `tag` is that of an act; notes have theirs in a member."""

    kind: EntryKind
    fields: Mapping[str, _Field]
    tag: int = 0


_VR = {"vr": _Field("vr")}
_SOURCE = {"source": _Field("address", address_text, _padded)}
_PORT = {"port": _Field("a")}
_ERROR = {"error": _Field("a")}


def _counter(attribute: str) -> _Field:
    return _Field(attribute, lambda value: value & _UINT64, unsigned)


_SEQUENCES = {"ah_sequence": _counter("a"), "hmac_sequence": _counter("b")}

_INPUTS = {
    "startup": _Shape(EntryKind.STARTUP, _VR),
    "shutdown": _Shape(EntryKind.SHUTDOWN, _VR),
    "priority": _Shape(EntryKind.PRIORITY, _VR | {"priority": _Field("a")}),
    "faults": _Shape(EntryKind.FAULTS, _VR | {"faults": _Field("a", _fault_names, _faults)}),
    "host_changed": _Shape(EntryKind.HOST_CHANGED, _VR),
    "link_changed": _Shape(EntryKind.LINK_CHANGED, _VR),
    "install_failed": _Shape(EntryKind.INSTALL_FAILED, _VR | _ERROR),
    "sent": _Shape(EntryKind.SENT, _VR),
    "send_failed": _Shape(EntryKind.SEND_FAILED, _VR | _ERROR),
    "resume": _Shape(EntryKind.RESUME, {"slept": _Field("a")}),
    "clock": _Shape(EntryKind.CLOCK, {"offset": _Field("a")}),
    "advance": _Shape(EntryKind.ADVANCE, {}),
    "place": _Shape(EntryKind.PLACE, _VR | _PORT | _SOURCE),
    "close_port": _Shape(EntryKind.CLOSE_PORT, _PORT),
    "mark": _Shape(EntryKind.MARK, _VR | _SOURCE | _SEQUENCES),
    "sequence": _Shape(EntryKind.SEQUENCE, _VR | _SEQUENCES),
    "advert": _Shape(EntryKind.ADVERT, _VR | _PORT | _SOURCE),
    "stranger": _Shape(EntryKind.STRANGER, _PORT | _SOURCE),
    "take_acts": _Shape(EntryKind.TAKE_ACTS, {}),
    "take_notes": _Shape(EntryKind.TAKE_NOTES, {}),
    "grow": _Shape(
        EntryKind.GROW, {"routers": _Field("a"), "ports": _Field("b"), "groups": _Field("c")}
    ),
    "retire": _Shape(EntryKind.RETIRE, _VR),
    "revise": _Shape(
        EntryKind.REVISE, {"revision": _Field("revision", write_revision, read_revision)}
    ),
}
_SEND = {"priority": _Field("a"), "sequence": _counter("b"), "regardless": _Field("c")}
_NOTE = {
    "note": _Field("tag", lambda tag: NoteKind(tag).name.lower(), _note_kind),
    "a": _Field("a"),
    "b": _Field("b"),
    "c": _Field("c"),
}
_OUTPUTS = {
    "send": _Shape(EntryKind.ACT, _VR | _SEND, 0),
    "withdraw": _Shape(EntryKind.ACT, _VR, 1),
    "install": _Shape(EntryKind.ACT, _VR, 2),
    "announce": _Shape(EntryKind.ACT, _VR | {"rounds": _Field("a")}, 3),
    "note": _Shape(EntryKind.TOLD, _VR | _NOTE | _SOURCE),
}
_WORDS = {"in": _INPUTS, "out": _OUTPUTS}
_SHAPES = {
    (shape.kind, shape.tag): (direction, word, shape)
    for direction, words in _WORDS.items()
    for word, shape in words.items()
}
_HEARD_DEFAULTS = asdict(Heard(verdict=RejectReason.ACCEPTED))


# ---- lines ----


def to_line(entry: Entry) -> dict[str, object]:
    """Return `entry` as a JSON object."""
    tag = entry.tag if entry.kind is EntryKind.ACT else 0
    direction, word, shape = _SHAPES[entry.kind, tag]
    line: dict[str, object] = {"t": entry.at, direction: word}
    for name, field in shape.fields.items():
        line[name] = field.write(getattr(entry, field.attribute))
    return line if entry.heard is None else line | _write_heard(entry.heard)


def from_line(line: Mapping[str, object]) -> Entry:
    """Return the entry that `line` was made of; raises RecordError."""
    direction = "in" if "in" in line else "out"
    shape = _WORDS[direction].get(str(line.get(direction)))
    if shape is None:
        raise RecordError(f"it says neither what came in nor what went out: {dict(line)}")
    rest = {name: value for name, value in line.items() if name not in ("t", direction)}
    values: dict[str, Any] = {"at": within(line.get("t"), LATEST), "tag": shape.tag}
    for name, field in shape.fields.items():
        if name not in rest:
            raise RecordError(f"{line[direction]} needs a member {name}")
        values[field.attribute] = field.read(rest.pop(name))
    heard = None
    if shape.kind in (EntryKind.ADVERT, EntryKind.STRANGER):
        heard = _read_heard(rest)
    elif rest:
        raise RecordError(f"{line[direction]} has no member {next(iter(rest))}")
    return Entry(kind=shape.kind, heard=heard, **values)


def _write_heard(heard: Heard) -> dict[str, object]:
    """Return the members of a packet, without what is as in most packets."""
    told: dict[str, object] = {"verdict": heard.verdict.key}
    for name, usual in _HEARD_DEFAULTS.items():
        value = getattr(heard, name)
        if name != "verdict" and value != usual:
            told[name] = value
    if heard.addresses:
        size = len(heard.addresses) // heard.count
        pieces = range(0, len(heard.addresses), size)
        told["addresses"] = [str(ip_address(heard.addresses[at : at + size])) for at in pieces]
    return told


def _read_heard(rest: dict[str, object]) -> Heard:
    try:
        verdict = next(r for r in RejectReason if r.key == rest["verdict"])
    except (KeyError, StopIteration):
        raise RecordError("a packet needs a verdict that is known") from None
    values: dict[str, Any] = {}
    for name, value in rest.items():
        if name == "addresses":
            if not isinstance(value, list):
                raise RecordError("addresses are a list")
            values[name] = b"".join(map(address_from, value))
        elif name == "hmac_sequence":
            values[name] = unsigned(value) & _UINT64
        elif name == "interval":
            values[name] = within(value, LONGEST >> 8)
        elif name == "authentic":
            values[name] = bool(value)
        elif name in _HEARD_DEFAULTS and name != "verdict":
            values[name] = integer(value)
        elif name != "verdict":
            raise RecordError(f"a packet has no member {name}")
    return Heard(verdict=verdict, **values)
