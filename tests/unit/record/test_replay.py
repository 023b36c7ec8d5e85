"""A recording replays to itself, and every change of what the core said is found where it is."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastvrrp.errors import RecordError
from fastvrrp.record.replay import replay
from recordings import random_inputs, record, save, with_reloads

Lines = list[dict[str, Any]]
Change = Callable[[Lines], Lines]

SEEDS = range(20)
TRANSCRIPTS = sorted((Path(__file__).parents[2] / "transcripts").glob("*.jsonl"))


def random_recording(seed: int, steps: int = 400) -> Lines:
    print(f"seed {seed}")
    return record(random_inputs(random.Random(seed), steps))


def recording_of_reloads(seed: int, steps: int = 400) -> Lines:
    print(f"seed {seed}")
    chance = random.Random(seed)
    return record(with_reloads(random_inputs(random.Random(seed), steps), chance))


def outputs(lines: Lines) -> list[int]:
    return [index for index, line in enumerate(lines) if "out" in line]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recording_replays_without_a_difference(seed: int, tmp_path: Path) -> None:
    lines = random_recording(seed)
    outcome = replay(save(lines, tmp_path / "r"))
    assert outcome.difference is None
    assert outcome.end == "stop"
    assert outcome.routers == ("VI_1", "VI_2", "VI_3")
    assert outcome.outputs == len(outputs(lines)) > 50
    assert outcome.inputs == len(lines) - outcome.outputs - 2


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recording_of_reloads_replays_without_a_difference(seed: int, tmp_path: Path) -> None:
    """Given an hour with reloads, among them of passwords, which are not in the recording, then
    the replay waits anew where the recorded router did."""
    lines = recording_of_reloads(seed)
    outcome = replay(save(lines, tmp_path / "r"))
    assert outcome.difference is None
    assert outcome.outputs == len(outputs(lines)) > 50
    revisions = [line["revision"] for line in lines if line.get("in") == "revise"]
    assert len(revisions) > 20
    assert any(change["listens_anew"] for each in revisions for change in each["changes"])
    assert "geheim" not in str(lines)


def test_the_random_hour_sees_everything_that_a_core_does() -> None:
    """Given twenty random hours, then every act and most notes occur: replays of them mean
    something."""
    words: set[object] = set()
    for seed in SEEDS:
        for line in random_recording(seed):
            words |= {line.get("in"), line.get("out"), line.get("note")}
    assert words >= {"send", "withdraw", "install", "announce", "note"}
    assert words >= {"state", "reject", "rival", "lower_priority", "resigned_peer", "priority"}
    assert words >= {"carp", "send_fault", "resumed", "discarded", "send_failed", "install_failed"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_changed_output_is_found_and_named(seed: int, tmp_path: Path) -> None:
    """Given a recording, when one output has another time, then the replay stops at that line, and
    says what was expected, what came, and after which input."""
    lines = random_recording(seed)
    index = random.Random(seed).choice(outputs(lines))
    truth = dict(lines[index])
    lines[index]["t"] += 1
    found = replay(save(lines, tmp_path / "r")).difference
    assert found is not None
    assert found.line == index + 1
    assert found.expected == lines[index]
    assert found.got == truth
    assert "in" in lines[found.after_line - 1]
    assert found.after == lines[found.after_line - 1]
    assert all("out" in line for line in lines[found.after_line : index])


@pytest.mark.parametrize("seed", SEEDS)
def test_an_output_that_is_not_in_the_recording_is_found(seed: int, tmp_path: Path) -> None:
    lines = random_recording(seed)
    index = outputs(lines)[-1]
    missing = lines.pop(index)
    found = replay(save(lines, tmp_path / "r")).difference
    assert found is not None
    assert found.line == index + 1
    assert found.got == missing


@pytest.mark.parametrize("seed", SEEDS)
def test_an_output_that_does_not_come_is_found(seed: int, tmp_path: Path) -> None:
    lines = random_recording(seed)
    index = outputs(lines)[-1] + 1
    lines.insert(index, {"t": 1, "out": "install", "vr": 0})
    found = replay(save(lines, tmp_path / "r")).difference
    assert found is not None
    assert (found.line, found.expected, found.got) == (index + 1, lines[index], None)


def test_a_missing_input_is_found_by_what_it_leads_to(tmp_path: Path) -> None:
    lines = random_recording(0)
    first = next(i for i, line in enumerate(lines) if line.get("in") == "startup")
    assert "out" in lines[first + 1] or "in" in lines[first + 1]
    later = next(i for i in outputs(lines) if "in" in lines[i - 1])
    cause = lines.pop(later - 1)
    found = replay(save(lines, tmp_path / "r")).difference
    assert found is not None, cause
    assert found.line == later


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_kept_recordings_replay_without_a_difference(path: Path) -> None:
    """Recordings of namespace tests (see the README beside them): what this version does with the
    same packets at the same times is what it did then."""
    outcome = replay(path)
    assert outcome.difference is None
    assert outcome.outputs >= 10


def test_there_are_kept_recordings() -> None:
    assert TRANSCRIPTS


# ---- ends ----


def test_a_line_that_was_being_written_is_left_out(tmp_path: Path) -> None:
    path = save(random_recording(1)[:-1], tmp_path / "r")
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    outcome = replay(path)
    assert outcome.difference is None
    assert outcome.end == ""


def test_a_recorder_that_could_not_keep_up_is_no_difference(tmp_path: Path) -> None:
    """Given a recording that ended between an input and its outputs, then that is no difference."""
    lines = random_recording(2)
    index = outputs(lines)[-1]
    outcome = replay(save([*lines[:index], {"t": 0, "end": "lost"}], tmp_path / "r"))
    assert outcome.difference is None
    assert outcome.end == "lost"


def test_an_output_that_an_engine_that_stopped_did_not_see_is_a_difference(tmp_path: Path) -> None:
    lines = random_recording(2)
    index = outputs(lines)[-1]
    found = replay(save([*lines[:index], {"t": 0, "end": "stop"}], tmp_path / "r")).difference
    assert found is not None
    assert found.line == index + 1


# ---- what is no recording ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [], "is empty"),
        (lambda lines: lines[1:], "line 1: it is no recording"),
        (
            lambda lines: [lines[0] | {"fastvrrp-record": 2}],
            "its format is 2, this version reads 1",
        ),
        (lambda lines: [lines[0] | {"ports": -1}], "line 1: the first line cannot be read"),
        (lambda lines: [lines[0] | {"routers": []}], "line 1: there is no such core"),
        (lambda lines: [lines[0], {"t": 1, "in": "startup", "vr": 9}], "line 2: this cannot have"),
        (lambda lines: [lines[0], {"t": 1, "in": "startup"}], "line 2: startup needs a member vr"),
        (lambda lines: [lines[0], {"t": 1, "in": "jump"}], "line 2: it says neither"),
        (lambda lines: [lines[0], {"t": 1.5, "in": "advance"}], "1.5 is no whole number"),
        (lambda lines: [lines[0], {"t": 1, "in": "advance", "x": 1}], "advance has no member x"),
        (lambda lines: [lines[0], {"t": 1, "end": "stop"}] * 2, "line 3: something comes after"),
    ],
)
def test_what_is_no_recording_is_explained(change: Change, message: str, tmp_path: Path) -> None:
    path = save(change(random_recording(3, 5)), tmp_path / "r")
    with pytest.raises(RecordError, match=message):
        replay(path)


def test_text_and_absence_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with pytest.raises(RecordError, match="No such file"):
        replay(path)
    path.write_text("vrrp_instance\n")
    with pytest.raises(RecordError, match="line 1: it is no JSON"):
        replay(path)
    path.write_text("[]\n")
    with pytest.raises(RecordError, match="line 1: it is no JSON object"):
        replay(path)


@pytest.mark.parametrize(
    "line",
    [
        {"in": "advert", "vr": 0, "port": 9, "source": "", "verdict": "checksum"},
        {"in": "advert", "vr": 0, "port": 0, "source": "", "verdict": "accepted", "count": 2},
        {"in": "advert", "vr": 0, "port": 0, "source": "", "verdict": "accepted", "interval": 1},
        {"in": "place", "vr": 0, "port": 3, "source": "192.0.2.5"},
        {"in": "priority", "vr": 0, "priority": 256},
        {"in": "priority", "vr": -1, "priority": 1},
        {"in": "close_port", "port": -1},
        {"in": "send_failed", "vr": 0, "error": -1},
        {"in": "mark", "vr": 7, "source": "", "ah_sequence": 1, "hmac_sequence": 0},
    ],
)
def test_what_cannot_have_happened_does_not_reach_the_core(
    line: dict[str, object], tmp_path: Path
) -> None:
    lines = [random_recording(3, 0)[0], {"t": 1} | line]
    with pytest.raises(RecordError, match="line 2: this cannot have happened"):
        replay(save(lines, tmp_path / "r"))


VALUES: tuple[object, ...] = (
    0,
    -1,
    1,
    3,
    255,
    256,
    1 << 31,
    -(1 << 31),
    (1 << 63) - 1,
    1 << 64,
    1.5,
    "",
    "::1",
    [],
    None,
)


def spoil(line: dict[str, Any], chance: random.Random) -> None:
    """Change, remove or replace one member."""
    name = chance.choice(list(line))
    if chance.random() < 0.2:
        del line[name]
    else:
        line[name] = chance.choice(VALUES)


@pytest.mark.parametrize("seed", range(150))
def test_a_spoiled_reload_is_explained_or_differs(seed: int, tmp_path: Path) -> None:
    lines = recording_of_reloads(seed, 80)
    chance = random.Random(seed)
    line = chance.choice([line for line in lines if line.get("in") in ("revise", "grow", "retire")])
    while isinstance(inner := inside(line, chance), dict) and chance.random() < 0.8:
        line = inner
    spoil(line, chance)
    said = ""
    try:
        outcome = replay(save(lines, tmp_path / "r"))
    except RecordError as error:
        said = str(error)
    assert "line" in said if said else outcome.inputs > 0


def inside(line: dict[str, Any], chance: random.Random) -> object:
    """Return something that is in `line`, of a list one item."""
    found = chance.choice([value for value in line.values() if value] or [None])
    return chance.choice(found) if isinstance(found, list) else found


@pytest.mark.parametrize("seed", range(60))
def test_a_spoiled_recording_is_explained_or_differs(seed: int, tmp_path: Path) -> None:
    """Given a recording with wrong members anywhere, then the replay says so with the line, finds a
    difference, or finds that it made none."""
    lines = random_recording(seed, 100)
    chance = random.Random(seed)
    for _ in range(chance.randrange(1, 4)):
        line = chance.choice(lines)
        spoil(chance.choice(line["routers"]) if "routers" in line else line, chance)
    said = ""
    try:
        outcome = replay(save(lines, tmp_path / "r"))
    except RecordError as error:
        said = str(error)
    assert "line" in said if said else outcome.inputs > 0
