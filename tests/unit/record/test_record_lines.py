"""The lines of a recording: every entry reads back to itself, and no line has a secret."""

import json
import random
from dataclasses import fields, replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from fastvrrp.config.model.instance import GarpConfig
from fastvrrp.core.acts import HmacParams, Revision, RouterChange, RouterParams
from fastvrrp.core.core import Core
from fastvrrp.loop.entries import Entry, EntryKind, Heard
from fastvrrp.loop.recorder import Recorder
from fastvrrp.names import Fault, RejectReason
from fastvrrp.record import header
from fastvrrp.record.lines import from_line, to_line
from recordings import HIGH, ROUTERS, first_line, padded, random_inputs, record

DOCUMENT = Path(__file__).parents[3] / "docs" / "record.md"
LARGEST = (1 << 64) - 1

SAMPLES = [
    Entry(kind=EntryKind.STARTUP, at=1, vr=0),
    Entry(kind=EntryKind.SHUTDOWN, at=1, vr=0),
    Entry(kind=EntryKind.PRIORITY, at=1, vr=0, a=150),
    Entry(kind=EntryKind.FAULTS, at=1, vr=0, a=int(Fault.LINK | Fault.PENDING)),
    Entry(kind=EntryKind.HOST_CHANGED, at=1, vr=0),
    Entry(kind=EntryKind.LINK_CHANGED, at=1, vr=0),
    Entry(kind=EntryKind.INSTALL_FAILED, at=1, vr=0, a=105),
    Entry(kind=EntryKind.SENT, at=1, vr=0),
    Entry(kind=EntryKind.SEND_FAILED, at=1, vr=0, a=101),
    Entry(kind=EntryKind.RESUME, at=1, a=5),
    Entry(kind=EntryKind.CLOCK, at=1, a=-7),
    Entry(kind=EntryKind.ADVANCE, at=1),
    Entry(kind=EntryKind.PLACE, at=1, vr=0, a=2, address=padded(HIGH)),
    Entry(kind=EntryKind.CLOSE_PORT, at=1, a=2),
    Entry(kind=EntryKind.MARK, at=1, vr=0, a=7, b=-1, address=padded(HIGH)),
    Entry(kind=EntryKind.SEQUENCE, at=1, vr=0, a=7, b=-(1 << 63)),
    Entry(
        kind=EntryKind.ADVERT,
        at=1,
        vr=0,
        a=1,
        address=bytes(range(16)),
        heard=Heard(
            verdict=RejectReason.HMAC_STALE,
            version=3,
            vrid=1,
            priority=2,
            count=2,
            auth_type=1,
            checksum_style=2,
            interval=3,
            ah_sequence=4,
            hmac_sequence=LARGEST,
            hmac_skew=-5,
            authentic=True,
            addresses=bytes(range(32)),
        ),
    ),
    Entry(kind=EntryKind.STRANGER, at=1, a=1, heard=Heard(verdict=RejectReason.VRID, vrid=9)),
    Entry(kind=EntryKind.TAKE_ACTS, at=1),
    Entry(kind=EntryKind.TAKE_NOTES, at=1),
    Entry(kind=EntryKind.GROW, at=1, a=3, b=2, c=1),
    Entry(kind=EntryKind.RETIRE, at=1, vr=0),
    Entry(
        kind=EntryKind.REVISE,
        at=1,
        revision=Revision(
            changes=(
                RouterChange(slot=0, params=None),
                RouterChange(slot=1, params=None, fresh=True, port=2, source=HIGH, name="VI_2"),
            ),
            groups=((1, 2), ()),
            old_groups={1: 0},
        ),
    ),
    Entry(kind=EntryKind.ACT, tag=0, at=1, vr=0, a=100, b=-1, c=1),
    Entry(kind=EntryKind.ACT, tag=1, at=1, vr=0),
    Entry(kind=EntryKind.ACT, tag=2, at=1, vr=0),
    Entry(kind=EntryKind.ACT, tag=3, at=1, vr=0, a=5),
    Entry(kind=EntryKind.TOLD, tag=3, at=1, vr=0, a=1, b=2, c=3, address=padded(HIGH)),
]


def test_there_is_a_sample_of_every_kind() -> None:
    assert {sample.kind for sample in SAMPLES} == set(EntryKind)


@pytest.mark.parametrize("entry", SAMPLES, ids=lambda e: f"{e.kind.name}-{e.tag}")
def test_an_entry_reads_back_to_itself(entry: Entry) -> None:
    assert from_line(json.loads(json.dumps(to_line(entry)))) == entry


@pytest.mark.parametrize("seed", range(5))
def test_random_entries_read_back_to_themselves(seed: int) -> None:
    for entry in random_inputs(random.Random(seed), 500):
        assert from_line(to_line(entry)) == entry


def test_the_first_line_describes_the_routers_without_their_secrets() -> None:
    """Given a recording of routers with a password and keys, then neither is in it, and what is
    read back is the same but for them."""
    line = first_line()
    text = json.dumps(line)
    assert "geheim99" not in text
    assert "kkkk" not in text.lower()
    read = header.from_line(json.loads(text))
    for (name, params), (_, original) in zip(read.routers, ROUTERS, strict=True):
        for field in fields(params):
            if field.name not in {"password", "hmac", "garp", "port"}:
                assert getattr(params, field.name) == getattr(original, field.name), name
    hmac = read.routers[2][1].hmac
    assert hmac is not None
    assert [number for number, _ in hmac.keys] == [1, 2]
    assert hmac.active_key == 2
    assert header.to_line(read) == line


def test_no_line_of_a_recording_has_a_secret() -> None:
    text = json.dumps(record(random_inputs(random.Random(1), 400)))
    assert "geheim99" not in text
    assert b"geheim99".hex() not in text


def test_every_field_of_a_router_is_in_the_first_line_but_the_password() -> None:
    line = header.to_line(header.Header(ports=1, routers=(("VI_1", RouterParams(vrid=1)),)))
    routers = line["routers"]
    assert isinstance(routers, list)
    names = {field.name for field in fields(RouterParams)}
    assert routers[0].keys() == names - {"password"} | {"name"}


def test_every_setting_of_auth_hmac_survives() -> None:
    hmac = HmacParams(
        keys=((9, bytes(32)),), active_key=9, monotonic=True, window=17, mode=2, hold=True
    )
    params = replace(RouterParams(vrid=1, version=3), hmac=hmac)
    start = header.Header(ports=1, routers=(("a", params),))
    assert header.from_line(header.to_line(start)).routers[0][1].hmac == hmac


def test_the_document_names_every_line_and_its_members() -> None:
    text = DOCUMENT.read_text()
    words = {word for entry in SAMPLES for word in to_line(entry)}
    words |= {str(to_line(entry).get("in", to_line(entry).get("out"))) for entry in SAMPLES}
    assert [word for word in sorted(words) if f"`{word}`" not in text] == []


def test_the_example_of_the_document_is_what_a_core_does() -> None:
    """Given the inputs of the example, then a core answers as it says there, line by line."""
    block = DOCUMENT.read_text().split("## Example")[1].split("```")[1]
    lines = [json.loads(line) for line in block.replace("\n ", " ").strip().splitlines()[1:]]
    vip = ip_address("10.9.0.100").packed
    core = Core(1, 2)
    core.add(RouterParams(vrid=51, version=3, addresses=(vip,), garp=GarpConfig(), port=-1))
    recorder = Recorder(core)
    said: list[dict[str, object]] = []
    for line in lines:
        if "in" in line:
            recorder.feed(from_line(line))
            said += map(to_line, recorder.entries())
    assert len(said) > 10
    assert said == lines
