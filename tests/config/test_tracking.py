"""Lines of `track_script` and the like: what they say, and what weights can do."""

from pathlib import Path

import pytest

from config.tracking_text import (
    BFD,
    BLOCKS,
    GROUP,
    OWNER,
    SCRIPT,
    TRACKERS,
    block,
    codes,
    instance,
    read,
    uses,
)
from fastvrrp import config

every_block = pytest.mark.parametrize("keyword", BLOCKS)


@every_block
@pytest.mark.parametrize(
    ("option", "weight", "reverse"),
    [
        ("", None, False),
        (" weight 0", 0, False),
        (" weight 5", 5, False),
        (" weight -253 reverse", -253, True),
    ],
)
@pytest.mark.parametrize("outer", ["instance", "group"])
def test_a_line_says(
    keyword: str, option: str, weight: int | None, reverse: bool, outer: str
) -> None:
    name = BLOCKS[keyword][1]
    lines = block(keyword, name + option)
    if outer == "instance":
        loaded, owner = read(TRACKERS + instance(body=lines)), "A"
    else:
        loaded, owner = read(TRACKERS + GROUP % lines + instance() + instance("B")), "G"
    assert uses(loaded, keyword, owner) == [(name, weight, reverse)]


@every_block
def test_noreverse_says_nothing_and_is_unknown_to_interfaces(keyword: str) -> None:
    name = BLOCKS[keyword][1]
    text = TRACKERS + instance(body=block(keyword, f"{name} weight 5 noreverse"))
    warned = ("FV105",) if keyword == "track_interface" else ()
    assert uses(read(text, *warned), keyword) == [(name, 5, False)]


@pytest.mark.parametrize(
    ("keyword", "weight", "taken"),
    [
        ("track_script", 254, 253),
        ("track_script", -254, -253),
        ("track_script", 255, None),
        ("track_interface", 254, 253),
        ("track_interface", 255, None),
        ("track_file", 255, None),
        ("track_process", -255, None),
        ("track_probe", 254, 253),
        ("track_bfd", 254, None),
    ],
)
def test_weights_have_a_range(keyword: str, weight: int, taken: int | None) -> None:
    name = BLOCKS[keyword][1]
    text = TRACKERS + instance(body=block(keyword, f"{name} weight {weight}"))
    assert uses(read(text, "FV104"), keyword) == [(name, taken, False)]


@pytest.mark.parametrize("keyword", ["track_file", "track_process"])
def test_wider_weights_of_files_and_processes(keyword: str) -> None:
    name = BLOCKS[keyword][1]
    text = TRACKERS + instance(body=block(keyword, f"{name} weight 254"))
    assert uses(read(text), keyword) == [(name, 254, False)]


@every_block
@pytest.mark.parametrize(
    ("option", "code", "left"),
    [
        ("-20", "FV103", False),
        ("reverse", "FV103", False),
        ("other", "FV103", False),
        ("weight", "FV103", False),
        ("weight high", "FV103", True),
        ("weight 5 backwards", "FV105", True),
    ],
)
def test_a_line_that_is_mistaken(keyword: str, option: str, code: str, left: bool) -> None:
    name = BLOCKS[keyword][1]
    text = TRACKERS + instance(body=block(keyword, f"{name} {option}"))
    assert bool(uses(read(text, code), keyword)) is left


@every_block
def test_a_second_line_about_the_same_is_left_out(keyword: str) -> None:
    name = BLOCKS[keyword][1]
    body = block(keyword, name, f"{name} weight 3")
    assert uses(read(TRACKERS + instance(body=body), "FV106"), keyword) == [(name, None, False)]
    body = block(keyword, name) + block(keyword, f"{name} weight 3")
    assert uses(read(TRACKERS + instance(body=body), "FV106"), keyword) == [(name, None, False)]


@pytest.mark.parametrize("keyword", [one for one in BLOCKS if one != "track_interface"])
def test_an_unknown_name_is_left_out(keyword: str) -> None:
    text = TRACKERS + instance(body=block(keyword, "nothing"))
    loaded = read(text, "FV212")
    assert uses(loaded, keyword) == []
    assert loaded.unsupported == ()


@pytest.mark.parametrize("keyword", [one for one in BLOCKS if one != "track_interface"])
def test_a_name_that_is_defined_below_is_used_and_reported(keyword: str) -> None:
    name = BLOCKS[keyword][1]
    text = instance(body=block(keyword, name)) + TRACKERS
    loaded = read(text, "FV221")
    assert uses(loaded, keyword) == [(name, None, False)]
    found = next(one for one in loaded.diagnostics if one.code == "FV221")
    assert found.related is not None
    assert found.related.span.line > found.span.line


def test_files_are_in_the_order_in_which_they_are_included(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text(instance(body=block("track_script", "s")))
    (tmp_path / "b.conf").write_text(SCRIPT % "")
    main = tmp_path / "main.conf"
    main.write_text("include a.conf\ninclude b.conf\n")
    assert codes(config.load(main)) == ["FV221"]
    main.write_text("include b.conf\ninclude a.conf\n")
    assert codes(config.load(main)) == []


def test_the_nearest_name_is_shown_with_its_place() -> None:
    text = (
        instance(body=block("track_script", "chk_nginx"))
        + 'vrrp_script chk_ngnix {\nscript "/x"\n}'
    )
    (found,) = (one for one in config.loads(text).diagnostics if one.code == "FV212")
    assert found.hint == "did you mean chk_ngnix?"
    assert found.related is not None
    assert found.related.message == "chk_ngnix is defined"


def test_a_session_for_checkers_is_not_tracked() -> None:
    body = block("track_bfd", "d")
    assert uses(read(BFD % "checker" + instance(body=body), "FV228"), "track_bfd") == []
    both = BFD % "checker\nvrrp"
    assert uses(read(both + instance(body=body)), "track_bfd") == [("d", None, False)]


@pytest.mark.parametrize("more", ["", "dont_track_primary\n"])
def test_the_own_interface_is_left_out(more: str) -> None:
    body = more + block("track_interface", "eth0 weight 5", "eth7")
    loaded = read(instance(body=body), "FV226")
    assert uses(loaded, "track_interface") == [("eth7", None, False)]


DONE = ("track_script", "track_interface", "track_file", "track_process", "track_probe")


@pytest.mark.parametrize("keyword", [one for one in BLOCKS if one not in DONE])
def test_what_the_engine_cannot_track_is_told(keyword: str) -> None:
    text = TRACKERS + instance(body=block(keyword, BLOCKS[keyword][1]))
    (found,) = read(text).unsupported
    assert (found.code, found.message) == ("FV111", f"{keyword} is not supported yet")


@pytest.mark.parametrize("keyword", DONE)
def test_what_the_engine_tracks_is_supported(keyword: str) -> None:
    text = TRACKERS + instance(body=block(keyword, BLOCKS[keyword][1]))
    assert read(text).unsupported == ()


def test_interfaces_must_be_there() -> None:
    loaded = read(instance(body=block("track_interface", "eth7")))
    assert "eth7" in {one.name for one in loaded.references}


@pytest.mark.parametrize(
    ("keyword", "line", "left", "code"),
    [
        ("track_script", "s", [("s", None, False)], None),
        ("track_script", "s weight 5", [], "FV217"),
        ("track_interface", "eth7 weight 5", [], "FV217"),
        ("track_interface", "eth7", [("eth7", None, False)], None),
        ("track_file", "f", [("f", 0, False)], "FV217"),
        ("track_file", "f weight 5", [], "FV217"),
        ("track_file", "f weight 0", [("f", 0, False)], None),
        ("track_process", "p weight 5", [("p", 5, False)], None),
        ("track_probe", "w weight 5", [], "FV217"),
        ("track_probe", "w", [("w", None, False)], None),
        ("track_bfd", "d weight 5", [], "FV217"),
        ("track_bfd", "d", [("d", None, False)], None),
    ],
)
def test_weights_do_nothing_to_an_owner(
    keyword: str, line: str, left: list[object], code: str | None
) -> None:
    text = TRACKERS + instance(body=OWNER + block(keyword, line))
    assert uses(read(text, *([code] if code else [])), keyword) == left


@pytest.mark.parametrize(
    ("keyword", "line", "left", "code"),
    [
        ("track_script", "s", [("s", None, False)], None),
        ("track_script", "s weight 5", [], "FV227"),
        ("track_interface", "eth7 weight 5", [("eth7", 0, False)], "FV227"),
        ("track_file", "f", [("f", 0, False)], "FV227"),
        ("track_file", "f weight 5", [], "FV227"),
        ("track_process", "p weight 5", [("p", 5, False)], None),
        ("track_probe", "w weight 5", [], "FV227"),
        ("track_bfd", "d weight 5", [], "FV227"),
    ],
)
def test_weights_do_nothing_to_a_member_of_a_group(
    keyword: str, line: str, left: list[object], code: str | None
) -> None:
    body = instance(body=block(keyword, line)) + instance("B")
    text = TRACKERS + GROUP % "" + body
    assert uses(read(text, *([code] if code else [])), keyword) == left
    text = TRACKERS + GROUP % "sync_group_tracking_weight" + body
    assert codes(read(text)) == []


def test_the_weight_of_the_script_does_nothing_either() -> None:
    body = instance(body=block("track_script", "s")) + instance("B")
    assert uses(read(SCRIPT % "weight 4" + GROUP % "" + body, "FV227"), "track_script") == []
