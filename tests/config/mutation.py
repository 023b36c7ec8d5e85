"""Mistakes made on purpose in real files: where the reader says that they are.

`python -m tests.config.mutation` prints the rates for each kind of mistake, and the cases that were
missed with `--show`.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fastvrrp import config
from fastvrrp.config.diagnostics import Diagnostic, Severity
from fastvrrp.config.row import Keyword, walk
from fastvrrp.config.schema import ROOT

__all__ = ["Case", "Mutation", "Outcome", "judge", "mutations", "rates", "samples"]

CORPUS = Path(__file__).parents[1] / "corpus"
KEYWORDS = {row.name for _, row in walk(ROOT)}
REQUIRED = {row.name for _, row in walk(ROOT) if isinstance(row, Keyword) and row.required}
MAX_MESSAGES = 3
NEAR = 1


@dataclass(frozen=True)
class Mutation:
    """A text with one mistake; `line` is where it was made, `shift` what it adds to the lines
    behind. `optional`: a file may have lost it and be right."""

    kind: str
    text: str
    line: int
    shift: int = 0
    optional: bool = False


@dataclass(frozen=True)
class Case:
    """A mutation of a file, by name."""

    name: str
    mutation: Mutation


@dataclass(frozen=True)
class Outcome:
    """What the reader said beyond what it said of the original: `good` if that helps."""

    case: Case
    told: tuple[Diagnostic, ...]

    @property
    def legal(self) -> bool:
        """There is nothing to say: what was dropped is no brace and nothing that is required."""
        return not self.told and self.case.mutation.optional

    @property
    def good(self) -> bool:
        """At most three messages, the first of them within a line of the mistake."""
        return (
            1 <= len(self.told) <= MAX_MESSAGES
            and abs(self.told[0].span.line - self.case.mutation.line) <= NEAR
        )


def samples() -> dict[str, str]:
    """Return the files of the corpus whose words and braces are in order, by name."""
    found = {}
    for path in sorted(CORPUS.glob("*.conf")):
        text = path.read_text(encoding="utf-8", errors="replace")
        broken = [one for one in report(text) if one.code < "FV100" or one.code == "FV101"]
        if not broken:
            found[path.name] = text
    return found


def report(text: str) -> tuple[Diagnostic, ...]:
    """Return what is said of a text, notes left out."""
    try:
        found = config.loads(text, config_id="sample").diagnostics
    except config.ConfigError as error:
        found = error.diagnostics
    return tuple(one for one in found if one.severity is not Severity.NOTE)


def mutations(text: str, draw: random.Random) -> list[Mutation]:
    """Return one mutation of each kind that the text allows."""
    made = (
        _delete_brace(text, draw),
        _misspell(text, draw),
        _drop_line(text, draw),
    )
    return [one for one in made if one is not None]


def judge(case: Case, original: tuple[Diagnostic, ...]) -> Outcome:
    """Read a mutation and compare what is said with what was said of the original."""
    mutation = case.mutation
    known = Counter(_same(one, mutation) for one in original)
    new = []
    for one in report(mutation.text):
        key = (one.code, one.span.line, _plain(one.message))
        if known[key]:
            known[key] -= 1
        else:
            new.append(one)
    return Outcome(case, tuple(new))


def rates(outcomes: list[Outcome]) -> str:
    """Return a table: how many cases of each kind were told well; legal ones are no mistakes."""
    legal = sum(one.legal for one in outcomes)
    outcomes = [one for one in outcomes if not one.legal]
    kinds = sorted({one.case.mutation.kind for one in outcomes})
    lines = [f"{legal} dropped lines leave a file in which nothing is wrong"]
    for kind in [*kinds, ""]:
        some = [one for one in outcomes if kind in ("", one.case.mutation.kind)]
        good = sum(one.good for one in some)
        share = 100 * good / len(some)
        lines.append(f"{kind or 'all':28} {good:5} of {len(some):5}  {share:5.1f} %")
    return "\n".join(lines)


def _same(found: Diagnostic, mutation: Mutation) -> tuple[str, int, str]:
    """Return how a message of the original would read in the mutation."""
    line = found.span.line + (mutation.shift if found.span.line > mutation.line else 0)
    return found.code, line, _plain(found.message)


def _plain(message: str) -> str:
    return re.sub(r"\d+", "N", message)


_WORD = re.compile(r"^[ \t]*([a-z_]{4,})(?=\s)", re.MULTILINE)


def _line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _code(text: str) -> str:
    """Return a text of the same length whose comments and quoted words are blanks."""
    blank = re.compile(r'"[^"\n]*"|(?<!\\)[#!][^\n]*')
    return blank.sub(lambda found: " " * len(found[0]), text)


def _delete_brace(text: str, draw: random.Random) -> Mutation | None:
    places = [found.start() for found in re.finditer(r"[{}]", _code(text))]
    if not places:
        return None
    at = draw.choice(places)
    return Mutation(f"delete a {text[at]}", text[:at] + text[at + 1 :], _line_of(text, at))


def _misspell(text: str, draw: random.Random) -> Mutation | None:
    places = [found for found in _WORD.finditer(_code(text)) if found[1] in KEYWORDS]
    if not places:
        return None
    found = draw.choice(places)
    wrong = found[1]
    while wrong in KEYWORDS:
        wrong = _slip(found[1], draw)
    start, end = found.span(1)
    return Mutation("misspell a keyword", text[:start] + wrong + text[end:], _line_of(text, start))


def _slip(word: str, draw: random.Random) -> str:
    """Return a word as a hurried hand writes it."""
    at = draw.randrange(len(word) - 1)
    slips = (
        word[:at] + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at] + word[at:],
    )
    return draw.choice(slips)


def _drop_line(text: str, draw: random.Random) -> Mutation | None:
    places = [number for number, line in enumerate(_code(text).split("\n")) if line.strip()]
    if not places:
        return None
    number = draw.choice(places)
    lines = text.split("\n")
    rest = "\n".join(lines[:number] + lines[number + 1 :])
    words = _code(text).split("\n")[number].split()
    optional = words[0] not in REQUIRED and not {"{", "}"} & set("".join(words))
    return Mutation("drop a line", rest, number + 1, shift=-1, optional=optional)


def main() -> None:
    """Judge many cases and print the rates."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print the cases that were missed")
    options = parser.parse_args()
    outcomes = run(options.cases, options.seed)
    for one in outcomes if options.show else ():
        if not one.good and not one.legal:
            _show(one)
    print(rates(outcomes))


def run(cases: int, seed: int) -> list[Outcome]:
    """Judge `cases` seeded mutations of the corpus."""
    draw = random.Random(seed)
    texts = samples()
    originals = {name: report(text) for name, text in texts.items()}
    outcomes: list[Outcome] = []
    while len(outcomes) < cases:
        name = draw.choice(sorted(texts))
        made = mutations(texts[name], draw)
        outcomes += [judge(Case(name, one), originals[name]) for one in made]
    return outcomes[:cases]


def _show(outcome: Outcome) -> None:
    mutation = outcome.case.mutation
    print(f"--- {outcome.case.name}: {mutation.kind} in line {mutation.line}")
    for found in outcome.told:
        print(f"    {found.span.line}: {found.code} {found.message}")


if __name__ == "__main__":
    main()
