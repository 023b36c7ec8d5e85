"""Every row of the schema is complete, and says the same to the parser, the writer and the docs."""

from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from fastvrrp import config
from fastvrrp.config.expand import Around
from fastvrrp.config.jsonform import union_members
from fastvrrp.config.reader import read
from fastvrrp.config.row import (
    ENTRIES,
    FULL,
    IGNORED,
    NOT_RUN,
    REFUSED,
    Block,
    Keyword,
    default_of,
    walk,
)
from fastvrrp.config.schema import ROOT
from fastvrrp.config.source import Report, make_source
from fastvrrp.config.values import Args, Kind, Rejected
from fastvrrp.config.wording import default_text, meaning_text, status_text, value_text

ROWS = list(walk(ROOT))
KEYWORDS = [(block, row) for block, row in ROWS if isinstance(row, Keyword)]
BLOCKS = [ROOT, *(row for _, row in ROWS if isinstance(row, Block))]
WORDS = Path(__file__).with_name("keywords.txt")


def name_of(value: object) -> str:
    return value.name or "outermost" if isinstance(value, Block | Keyword) else str(value)


every_row = pytest.mark.parametrize(("block", "row"), ROWS, ids=name_of)
every_keyword = pytest.mark.parametrize(("block", "row"), KEYWORDS, ids=name_of)
every_block = pytest.mark.parametrize("block", BLOCKS, ids=name_of)


def listed() -> list[tuple[str, str]]:
    """Return the keywords of the language, each with its block."""
    found = []
    block = ""
    for line in WORDS.read_text().splitlines()[1:]:
        head, colon, rest = line.partition(":")
        block = head if colon else block
        found += [(block, word) for word in (rest if colon else line).split()]
    return found


def kinds_of(row: Keyword | Block) -> list[Kind]:
    if isinstance(row, Keyword):
        return [row.kind]
    header = [] if row.header is None else [row.header.kind]
    return header + ([] if row.entry is None else [row.entry])


def has_field(model: type, path: str) -> bool:
    head, _, tail = path.partition(".")
    if head not in {one.name for one in fields(model)}:
        return False
    inner = union_members(get_type_hints(model)[head])
    return not tail or all(has_field(one, tail) for one in inner)


@every_row
def test_a_row_puts_its_value_into_a_field_of_the_model(block: Block, row: Keyword | Block) -> None:
    assert block.model is not None
    targets = row.targets if isinstance(row, Keyword) else (row.to,)
    assert all(has_field(block.model, path) for path in targets), targets


@every_block
def test_a_block_has_rows_or_entries_and_a_model_for_what_it_holds(block: Block) -> None:
    assert bool(block.rows) != (block.entry is not None)
    assert (block.model is not None) == (bool(block.rows) or block.header is not None)
    if block.header is not None:
        assert block.model is not None
        assert all(has_field(block.model, path) for path in block.header.targets)
    if block.header is not None and block.entry is not None:
        assert block.model is not None
        assert has_field(block.model, ENTRIES)


@every_block
def test_no_name_stands_for_two_rows_of_a_block(block: Block) -> None:
    names = [row.name for row in block.rows]
    assert len(names) == len(set(names)) == len(block.children)


@every_row
def test_the_doc_of_a_row_is_a_sentence(block: Block, row: Keyword | Block) -> None:
    del block
    assert row.doc.endswith(".")
    assert row.doc[:1].isupper() or row.doc.startswith(("nothing", "enforce:"))
    assert "\n" not in row.doc
    assert "  " not in row.doc
    assert meaning_text(row).startswith(row.doc)


@every_row
def test_a_row_that_is_not_done_says_why(block: Block, row: Keyword | Block) -> None:
    del block
    assert (row.support is not FULL) == bool(row.why), row.why
    assert not row.why or row.why.endswith(".")
    assert status_text(row)


def test_nothing_that_is_refused_stands_in_a_block_that_is_left_out() -> None:
    """Nothing is told of the rows inside of a block that is ignored as a whole."""
    left_out = [one for one in BLOCKS if one.support in (IGNORED, NOT_RUN)]
    inside = [row.name for one in left_out for _, row in walk(one) if row.support is REFUSED]
    assert inside == []


def test_nothing_in_a_block_is_done_if_the_block_is_not() -> None:
    blocks = [one for one in BLOCKS if one.support is not FULL]
    assert [row.name for one in blocks for row in one.rows if row.support is FULL] == []


@every_row
def test_the_kinds_of_a_row_describe_themselves(block: Block, row: Keyword | Block) -> None:
    del block
    for kind in kinds_of(row):
        assert kind.describe()
        assert isinstance(kind.schema(), dict)
        assert callable(kind.read)
        assert callable(kind.write)
    assert value_text(row)


@every_keyword
def test_the_default_of_a_keyword_is_a_value_that_it_could_have(block: Block, row: Keyword) -> None:
    """Where the default can be written, reading it gives the default again, without a report."""
    assert block.model is not None
    values = tuple(default_of(block.model, to) for to in row.targets)
    if values[0] in (None, ()) or row.many:
        return
    value = values[0] if isinstance(row.to, str) else values
    words = row.kind.write(value)
    if words is None:
        return
    found, told = reading(row, words)
    assert found == value or told, (words, found)


def reading(row: Keyword, words: str) -> tuple[object, list[str]]:
    """Return the value that a kind reads, and the codes of what it reports."""
    report = Report()
    source = make_source("<test>", f"{row.name} {words}\n", report)
    assert source is not None
    (statement,) = read([(source, Path())], Around(), report)
    args = Args(statement, report, None)
    try:
        value: object = row.kind.read(args)
    except Rejected as rejected:
        return None, [rejected.code]
    assert not args.rest()
    return value, [one.code for one in report.finish()]


@every_row
def test_what_is_old_names_what_takes_its_place(block: Block, row: Keyword | Block) -> None:
    if not row.alias:
        return
    others = [one for one in block.rows if one.key == row.key and not one.alias]
    assert others, "an alias is another name of a row"


@every_keyword
def test_a_default_that_depends_on_others_is_documented(block: Block, row: Keyword) -> None:
    assert not (row.without and row.inherits)
    assert row.without is None or row.default
    assert not row.default or default_text(row, block) == row.default


@pytest.mark.parametrize(("block", "word"), listed())
def test_every_keyword_of_the_language_has_a_row(block: str, word: str) -> None:
    found = [one for one in BLOCKS if (one.name or "(outermost)") == block]
    assert found
    assert any(word in one.children for one in found)


def test_an_unsupported_keyword_is_found_by_whoever_starts_the_engine() -> None:
    loaded = config.loads(
        "global_defs {\nnotify_fifo /run/f\n}\n"
        "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\n"
        "virtual_ipaddress {\n192.0.2.1\n}\n}\n"
    )
    assert [one.code for one in loaded.unsupported] == ["FV111"]
