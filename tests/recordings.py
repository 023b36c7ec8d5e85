"""Recordings for the tests: two routers that live through a random hour."""

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from fastvrrp.clock import NS_PER_SECOND, milliseconds, seconds
from fastvrrp.core.acts import HmacParams, Revision, RouterChange, RouterParams
from fastvrrp.core.core import Core
from fastvrrp.loop.entries import Entry, EntryKind, Heard
from fastvrrp.loop.recorder import Recorder
from fastvrrp.names import Fault, RejectReason
from fastvrrp.record import header
from fastvrrp.record.lines import to_line

OWN, LOW, HIGH = (ip_address(f"192.0.2.{n}").packed for n in (5, 1, 9))
VIP = ip_address("192.0.2.100").packed
ROUTERS = (
    ("VI_1", RouterParams(vrid=51, version=3, source=OWN, addresses=(VIP,), auth_type=0, group=0)),
    (
        "VI_2",
        RouterParams(
            vrid=52, version=2, source=OWN, addresses=(VIP,), auth_type=2, password=b"geheim99"
        ),
    ),
    (
        "VI_3",
        RouterParams(
            vrid=53,
            version=3,
            priority=90,
            source=OWN,
            addresses=(VIP,),
            peers=(LOW, HIGH),
            peer_ttls=((1, 255), (254, 255)),
            group=0,
            hmac=HmacParams(keys=((1, b"k" * 32), (2, b"K" * 32)), active_key=2),
        ),
    ),
)
PORTS, GROUPS = 3, 1


def fresh_core() -> Core:
    core = Core(len(ROUTERS), PORTS, GROUPS)
    for number, (_, params) in enumerate(ROUTERS):
        core.add(replace(params, port=number))
    return core


def first_line() -> dict[str, object]:
    routers = tuple(
        (name, replace(params, port=number)) for number, (name, params) in enumerate(ROUTERS)
    )
    return header.to_line(header.Header(ports=PORTS, groups=GROUPS, routers=routers))


def padded(address: bytes) -> bytes:
    return address.ljust(16, b"\0")


def packet(chance: random.Random, vr: int, at: int, sequence: int) -> Entry:
    params = ROUTERS[vr][1]
    accepted = chance.random() < 0.8
    return Entry(
        kind=EntryKind.ADVERT,
        at=at,
        vr=vr,
        a=vr,
        address=padded(chance.choice((LOW, HIGH))),
        heard=Heard(
            verdict=RejectReason.ACCEPTED
            if accepted
            else chance.choice((RejectReason.CHECKSUM, RejectReason.VERSION)),
            version=params.version,
            vrid=params.vrid,
            priority=chance.choice((0, 80, 100, 101, 200)),
            count=1,
            interval=seconds(1),
            ah_sequence=sequence if params.auth_type == 2 else 0,
            addresses=VIP,
        ),
    )


def random_inputs(chance: random.Random, steps: int) -> Iterator[Entry]:
    """Yield what may happen to the core, in an order that may be."""
    now = 1000 * NS_PER_SECOND
    for vr in range(len(ROUTERS)):
        yield Entry(kind=EntryKind.STARTUP, vr=vr, at=now)
    for step in range(steps):
        now += chance.choice((0, milliseconds(1), milliseconds(300), seconds(1), seconds(4)))
        vr = chance.randrange(len(ROUTERS))
        kind = chance.choice(
            (EntryKind.ADVANCE,) * 4
            + (EntryKind.TAKE_ACTS,) * 4
            + (EntryKind.ADVERT,) * 4
            + (EntryKind.TAKE_NOTES, EntryKind.FAULTS, EntryKind.FAULTS, EntryKind.PRIORITY)
            + (EntryKind.HOST_CHANGED, EntryKind.SENT, EntryKind.RESUME)
            + (EntryKind.SEND_FAILED,) * 4
            + (EntryKind.STRANGER, EntryKind.INSTALL_FAILED, EntryKind.LINK_CHANGED)
        )
        if kind is EntryKind.ADVERT:
            yield packet(chance, vr, now, step + 1)
        elif kind is EntryKind.STRANGER:
            heard = Heard(verdict=RejectReason.CARP, vrid=chance.randrange(1, 256))
            yield Entry(kind=kind, at=now, a=vr, address=padded(HIGH), heard=heard)
        else:
            a = {
                EntryKind.FAULTS: chance.choice((0, 0, Fault.LINK, Fault.TRACKER | Fault.SOURCE)),
                EntryKind.PRIORITY: chance.randrange(1, 256),
                EntryKind.SEND_FAILED: 100,
                EntryKind.INSTALL_FAILED: 105,
                EntryKind.RESUME: seconds(2),
            }.get(kind, 0)
            takes = kind in (EntryKind.TAKE_ACTS, EntryKind.TAKE_NOTES, EntryKind.RESUME)
            whole = takes or kind is EntryKind.ADVANCE
            yield Entry(kind=kind, at=now, vr=-1 if whole else vr, a=int(a))


def with_reloads(inputs: Iterable[Entry], chance: random.Random) -> Iterator[Entry]:
    """Yield `inputs`, and reloads of the three routers in between: other priorities, passwords,
    groups; a fourth that comes and goes; one that begins anew."""
    fourth = False
    for entry in inputs:
        yield entry
        if chance.random() < 0.9:
            continue
        at, vr = entry.at, chance.randrange(len(ROUTERS))
        name, params = ROUTERS[vr]
        fresh = chance.random() < 0.3
        params = replace(params, priority=chance.randrange(1, 255))
        if params.auth_type:
            params = replace(params, password=chance.choice((b"geheim99", b"geheim98")))
        changes = [
            RouterChange(slot=vr, name=name, params=params, fresh=fresh, port=vr, source=OWN)
        ]
        if fourth:
            changes.append(RouterChange(slot=3, params=None))
        elif chance.random() < 0.5:
            more = RouterParams(vrid=99, source=OWN, addresses=(VIP,))
            changes.append(RouterChange(slot=3, name="VI_4", params=more, port=0, source=OWN))
        fourth = len(changes) == 2 and not fourth
        yield Entry(kind=EntryKind.GROW, at=at, a=4, b=PORTS, c=2)
        for change in changes:
            if change.fresh or change.params is None:
                yield Entry(kind=EntryKind.RETIRE, at=at, vr=change.slot)
        yield Entry(kind=EntryKind.TAKE_NOTES, at=at)
        members = chance.choice(((0, 2), (0, 1, 2), (2,)))
        revision = Revision(changes=tuple(changes), groups=(members,), old_groups={0: 0})
        yield Entry(kind=EntryKind.REVISE, at=at, revision=revision)
        for slot in {vr, 3} if fourth else {vr}:
            yield Entry(kind=EntryKind.STARTUP, at=at, vr=slot)


def record(inputs: Iterable[Entry]) -> list[dict[str, object]]:
    """Return the lines of a core to which `inputs` happened."""
    recorder = Recorder(fresh_core())
    lines = [first_line()]
    for entry in inputs:
        recorder.feed(entry)
        lines += map(to_line, recorder.entries())
    return [*lines, {"t": 0, "end": "stop"}]


def save(lines: Iterable[dict[str, object]], path: Path) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
