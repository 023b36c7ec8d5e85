"""`fastvrrp replay` from its command line to its output."""

import json
from pathlib import Path

import pytest

from fastvrrp.tools.cli import main

HEADER = {
    "fastvrrp-record": 1,
    "version": "0",
    "ports": 1,
    "groups": 0,
    "tells_unknown_vrids": False,
    "routers": [
        {
            "name": "VI_1",
            "vrid": 51,
            "garp": {
                "delay": 0,
                "repeat": 5,
                "refresh": 0,
                "refresh_repeat": 1,
                "lower_prio_delay": 0,
                "lower_prio_repeat": 0,
            },
        }
    ],
}
STARTED = {"t": 5, "out": "note", "vr": 0, "note": "state", "a": 1, "b": 0, "c": 0, "source": ""}
LINES = [HEADER, {"t": 5, "in": "startup", "vr": 0}, STARTED, {"t": 6, "end": "stop"}]


def write(path: Path, lines: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_no_difference_is_said_with_how_much_was_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", write(tmp_path / "r", LINES)]) == 0
    said = capsys.readouterr().out
    assert said == "no difference: 1 inputs, 1 outputs of VI_1, until the engine stopped\n"


def test_the_first_difference_is_shown_with_the_input_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "r", [*LINES[:2], STARTED | {"a": 2}, LINES[3]])
    assert main(["replay", path]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:3: the first difference",
        f"  expected  {json.dumps(STARTED | {'a': 2})}",
        f"  got       {json.dumps(STARTED)}",
        f"  after     {json.dumps(LINES[1])} (line 2)",
    ]


def test_json_has_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", write(tmp_path / "r", LINES)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "same": True,
        "routers": ["VI_1"],
        "inputs": 1,
        "outputs": 1,
        "end": "stop",
        "difference": None,
    }
    assert main(["replay", "--json", write(tmp_path / "r", [*LINES[:2], LINES[3]])]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert not answer["same"]
    assert answer["difference"] == {
        "line": 3,
        "expected": None,
        "got": STARTED,
        "after_line": 2,
        "after": LINES[1],
    }


def test_what_is_no_recording_is_a_message_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "r", LINES[1:])
    assert main(["replay", path]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"fastvrrp replay: {path}, line 1: it is no recording")
