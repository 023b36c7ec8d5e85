"""`python -m demo`: plays the story, prints it, draws it. Exit status 1 when a scenario failed."""

import argparse
import os
import platform
import signal
import sys
from pathlib import Path

from demo.picture import draw
from demo.screen import Screen
from demo.stage import Stage
from demo.story import Story
from lab import Lab, LabError, WebServer, find_program


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--daemon", default="fastvrrpd", help="or keepalived, or a path")
    parser.add_argument("--picture", type=Path, default=Path("demo-timeline.svg"))
    return parser.parse_args()


def play(daemon: str, picture: Path) -> int:
    """Run the demo; returns the exit status."""
    screen = Screen()
    program = find_program(daemon)
    rights = "as root" if os.geteuid() == 0 else "without root, in a user namespace"
    setting = (
        f"{Path(program).name} on web1 and web2, {WebServer.kind()}, "
        f"Linux {platform.release()}, {rights}"
    )
    screen.title(
        "Two web servers, one address, real failovers",
        setting,
        "a client asks for the page every 10 ms; times count from the fault",
    )
    with Lab() as lab:
        stage = Stage(lab, program, screen)
        Story(stage).play()
    record = stage.record
    screen.table(record.scenarios)
    picture.write_text(draw(record, setting), encoding="utf-8")
    screen.line(f"\nthe whole run as a picture: {picture}")
    return 0 if all(scenario.passed for scenario in record.scenarios) else 1


def main() -> int:
    """Run, and end without a trace when interrupted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also when started with `&`
    arguments = options()
    try:
        return play(arguments.daemon, arguments.picture)
    except KeyboardInterrupt:
        print("\ninterrupted; nothing is left running", file=sys.stderr)
        return 128 + signal.SIGINT
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
