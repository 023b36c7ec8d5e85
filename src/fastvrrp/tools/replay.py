"""`fastvrrp replay`: a recording through a fresh core, up to the first difference."""

import argparse
import json
import sys
from dataclasses import asdict

from fastvrrp.errors import RecordError
from fastvrrp.record.replay import Difference, Outcome, replay

__all__ = ["add_parser", "run"]

SAME, DIFFERS, UNREADABLE = 0, 1, 2

_DESCRIPTION = """\
Give a fresh core everything that the core of a running daemon was given (`fastvrrpd --record
FILE`), and compare what both asked for and told: every advert, address, announcement and note,
with its time. Nothing is sent and no address is touched.

A recording that replays without a difference shows that the daemon did what this version does;
with another version of fastvrrp, or another build, the first difference is where they part.
"""

_EPILOG = """\
examples:
  fastvrrpd -n -l --record /run/vrrp.jsonl    # until it is stopped; the file must not exist
  fastvrrp replay /run/vrrp.jsonl
  fastvrrp replay --json /run/vrrp.jsonl | jq .difference

--json prints one object: "same", "routers" (their names), "inputs", "outputs", "end" ("stop",
"lost" when packets came faster than they could be written, "" when the recording breaks off) and
"difference", null or {"line", "expected", "got", "after_line", "after"}.

exit status: 0 no difference, 1 a difference, 2 no recording that can be read
"""

_ENDS = {
    "stop": "until the engine stopped",
    "lost": "until packets came faster than they could be written",
    "": "until the recording breaks off",
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `replay` to the subcommands of `fastvrrp`."""
    parser = commands.add_parser(
        "replay",
        help="replay a recording of the daemon and report the first difference",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", help="what `fastvrrpd --record` has written")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Replay the file of the command line; returns the exit status."""
    try:
        outcome = replay(options.file)
    except RecordError as error:
        print(f"fastvrrp replay: {error}", file=sys.stderr)
        return UNREADABLE
    if options.json:
        print(json.dumps({"same": outcome.difference is None} | asdict(outcome)))
    else:
        print(_summary(options.file, outcome))
    return SAME if outcome.difference is None else DIFFERS


def _summary(path: str, outcome: Outcome) -> str:
    if outcome.difference is not None:
        return _difference(path, outcome.difference)
    end = _ENDS.get(outcome.end, outcome.end)
    names = ", ".join(outcome.routers)
    return f"no difference: {outcome.inputs} inputs, {outcome.outputs} outputs of {names}, {end}"


def _difference(path: str, found: Difference) -> str:
    expected, got, after = map(_text, (found.expected, found.got, found.after))
    return (
        f"{path}:{found.line}: the first difference\n"
        f"  expected  {expected}\n"
        f"  got       {got}\n"
        f"  after     {after} (line {found.after_line})"
    )


def _text(line: dict[str, object] | None) -> str:
    return "nothing" if line is None else json.dumps(line)
