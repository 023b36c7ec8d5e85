"""`make demo` itself: it plays to the end, and ends without a trace when interrupted."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab import Lab

pytestmark = pytest.mark.netns

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


@contextmanager
def demo(*options: str) -> Iterator[subprocess.Popen[str]]:
    """The demo as `make demo` runs it."""
    path = os.pathsep.join(str(ROOT / name) for name in ("tests", "examples"))
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", *options],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        yield process
        process.kill()


@pytest.mark.slow
def test_the_demo_plays_the_tutorial_and_draws_it(lab: Lab, tmp_path: Path) -> None:
    picture = tmp_path / "run.svg"
    with demo("--picture", str(picture)) as process:
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert "FAILED" not in output
    assert "\x1b" not in output  # plain when it is no terminal
    texts = [element.text for element in ElementTree.parse(picture).iter(f"{SVG}text")]
    assert {"web1", "web2", "client", "passwords differ", "both hold it"} <= set(texts)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_nothing(
    lab: Lab, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    """(That no process is left is a law of the lab, and tested there.)"""
    with demo("--picture", str(tmp_path / "run.svg")) as process:
        assert process.stdout is not None
        while "starts" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == status
    assert list(tmp_path.iterdir()) == []
