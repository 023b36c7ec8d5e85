"""`fastvrrp keyword`: what a keyword of keepalived.conf means here."""

import argparse
import sys
import textwrap
from collections.abc import Iterator
from difflib import get_close_matches

from fastvrrp.config.row import Block, Keyword, walk
from fastvrrp.config.schema import ROOT
from fastvrrp.config.wording import (
    default_text,
    meaning_text,
    place_text,
    status_text,
    value_text,
)

__all__ = ["add_parser", "run"]

FINE, USAGE = 0, 2

_WIDTH = 80

_EPILOG = """\
examples:
  fastvrrp keyword advert_int
  fastvrrp keyword priority weight        # each wherever it can stand
  fastvrrp keyword                        # the names of all keywords

exit status: 0 found, 2 there is no such keyword
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `keyword` to the subcommands of `fastvrrp`."""
    parser = commands.add_parser(
        "keyword",
        help="say what a keyword of the configuration means",
        description="Say what keywords of keepalived.conf mean, and what fastvrrpd does with them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="a keyword; none: list all")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Explain the keywords; returns the exit status."""
    known = sorted({row.name for _, row in walk(ROOT)})
    if not options.names:
        print("\n".join(known))
        return FINE
    unknown = [name for name in options.names if name not in known]
    for name in unknown:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        print(f"fastvrrp keyword: there is no keyword {name}{hint}", file=sys.stderr)
    if unknown:
        return USAGE
    print("\n\n".join(text for name in options.names for text in _texts(name)))
    return FINE


def _texts(name: str) -> Iterator[str]:
    """Yield a text for each meaning of a keyword."""
    places: dict[str, list[str]] = {}
    for block, row in walk(ROOT):
        if row.name == name:
            places.setdefault(_facts(row, block), []).append(block.name)
    for facts, blocks in places.items():
        place = textwrap.fill(place_text(tuple(dict.fromkeys(blocks))), _WIDTH - len(name) - 1)
        yield f"{name} {place}\n{facts}"


def _facts(row: Keyword | Block, block: Block) -> str:
    example = row.required if isinstance(row, Keyword) else None
    facts = {
        "value": value_text(row),
        "default": default_text(row, block),
        "status": status_text(row),
        "example": example,
    }
    lines = [textwrap.indent(textwrap.fill(meaning_text(row), _WIDTH - 2), "  ")]
    lines += [_fact(name, text) for name, text in facts.items() if text]
    return "\n".join(lines)


def _fact(name: str, text: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=f"  {name + ':':<9}", subsequent_indent=" " * 11
    )
