"""Packets that no router of the port can answer for: CARP, and VRIDs that are not configured."""

from packets import CARP, VRID, advert, deliver, params

from fastvrrp.clock import seconds
from fastvrrp.core.core import Core
from fastvrrp.names import NoteKind, RejectReason

FOREIGN = CARP[:21] + bytes((VRID + 1,)) + CARP[22:]


def backup(*, tells_unknown_vrids: bool = False) -> Core:
    core = Core(1)
    core.tells_unknown_vrids = tells_unknown_vrids
    core.add(params())
    core.startup(0, 0)
    core.drain_notes()
    return core


def told(core: Core) -> list[tuple[NoteKind, int, int]]:
    return [(note.kind, note.a, note.b) for note in core.drain_notes()]


def test_carp_of_our_number_and_of_another_is_ignored_with_one_line_a_minute() -> None:
    core = backup()
    before = core.status(0)
    for instant in range(100):
        for packet in (CARP, FOREIGN):
            assert deliver(core, packet, seconds(1) + instant) is RejectReason.CARP
    assert told(core) == [(NoteKind.CARP, VRID, 0)]
    assert core.status(0) == before
    assert core.port_rejects() == {RejectReason.CARP: 200}
    deliver(core, FOREIGN, seconds(61))
    assert told(core) == [(NoteKind.CARP, VRID + 1, 199)]


def test_unknown_vrids_are_counted_and_told_if_asked_for() -> None:
    silent, talking = backup(), backup(tells_unknown_vrids=True)
    for core in (silent, talking):
        for vrid in (7, 8, 9):
            assert deliver(core, advert(vrid=vrid), seconds(1)) is RejectReason.VRID
        assert core.port_rejects() == {RejectReason.VRID: 3}
    assert told(silent) == []
    assert told(talking) == [(NoteKind.UNKNOWN_VRID, 7, 0)]


def test_a_vrid_that_another_port_of_the_interface_has_is_not_unknown() -> None:
    """Given one router with AH and one without on one interface, whose ports hear both, then
    neither finds the VRID of the other unknown."""
    core = Core(2, 2)
    core.tells_unknown_vrids = True
    core.add(params(vrid=VRID, port=0))
    core.add(params(vrid=VRID + 1, port=1, auth_type=2, password=b"secret"))
    assert deliver(core, advert(vrid=VRID + 1), seconds(1)) is RejectReason.VRID
    assert told(core) == []
    assert deliver(core, advert(vrid=VRID + 2), seconds(1)) is RejectReason.VRID
    assert told(core) == [(NoteKind.UNKNOWN_VRID, VRID + 2, 0)]
