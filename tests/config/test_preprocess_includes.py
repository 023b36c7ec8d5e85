"""`include` and its variants: what is read, what is told, what is refused."""

import os
from pathlib import Path

import pytest

from fastvrrp import config
from fastvrrp.config.expand import INCLUDE_ERRORS
from fastvrrp.config.includes import Check, changed


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with fragments, which is the current one."""
    for name in ("1", "2", "a b", "10"):
        (tmp_path / f"{name}.inc").write_text(
            f"vrrp_script s{name[0]}{len(name)} {{\n script x\n}}"
        )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "outer.conf").write_text("include inner/*.conf")
    (tmp_path / "sub" / "inner").mkdir()
    (tmp_path / "sub" / "inner" / "in.conf").write_text(
        "vrrp_script inner {\n script ${_PWD}/x\n}\n$FROM=inner"
    )
    (tmp_path / "dir.inc").mkdir()
    (tmp_path / "run.inc").write_text("x")
    (tmp_path / "run.inc").chmod(0o755)
    (tmp_path / ".hidden.inc").write_text("y")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scripts(text: str) -> list[str]:
    return [script.name for script in config.loads(text).scripts]


def findings(text: str, **options: bool) -> list[str]:
    """Return the severity and code of what is found; scripts that nobody uses aside."""
    try:
        found = config.loads(text, all_config=options.get("all_config", False)).diagnostics
    except config.ConfigError as error:
        found = error.diagnostics
    return [f"{one.severity.value} {one.code}" for one in found if one.code < "FV1"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("1.inc", ["s11"]),
        ("\t1.inc   # why", ["s11"]),
        ("?.inc", ["s11", "s21"]),
        ("[12].inc", ["s11", "s21"]),
        ("[^1].inc", ["s21"]),
        ("[\\!1].inc", ["s21"]),
        ("1*.inc", ["s11", "s12"]),
        ("{2,1}.inc", ["s21", "s11"]),
        ("{1{,0},2}.inc", ["s11", "s12", "s21"]),
        ("a b.inc", ["sa3"]),
        ("\\1.inc", ["s11"]),
        ("./sub/../1.inc", ["s11"]),
        ("sub/outer.conf", ["inner"]),
    ],
)
def test_a_pattern_names_files(tree: Path, pattern: str, names: list[str]) -> None:
    assert scripts(f"include {pattern}") == names
    assert scripts(f"includea {tree}/{pattern.strip()}") == names


def test_what_is_only_like_an_include_is_a_keyword(tree: Path) -> None:
    for text in ("include", "includex 1.inc", "included 1.inc", "include1.inc"):
        assert findings(text) == []
        assert scripts(text) == []
    assert findings('include "1.inc"') == ["note FV020"], "quotes belong to the name"
    assert findings("include 1.inc 2.inc") == ["note FV020"], "so do blanks"


def test_an_include_may_stand_in_a_block_and_behind_a_brace(tree: Path) -> None:
    (tree / "body.inc").write_text("script /body\n interval 7")
    for text in (
        "vrrp_script s {\n include body.inc\n}",
        "vrrp_script s { include body.inc\n}",
        "$DIR=.\nvrrp_script s {\n include ${DIR}/body.inc\n}",
        "vrrp_script s {\n @me include body.inc\n}",
        "$LINE=include body.inc\nvrrp_script s {\n $LINE\n}",
    ):
        (script,) = config.loads(text, config_id="me").scripts
        assert script.command.argv == ("/body",)


def test_relative_names_start_from_the_file_that_includes(tree: Path) -> None:
    (script,) = config.load(tree / "sub" / "outer.conf").scripts
    assert script.command.argv == (f"{tree}/sub/inner/x",)
    (found,) = config.loads("include sub/outer.conf\ninclude sub/outer.conf").diagnostics[:1]
    assert found.span.file == "sub/inner/in.conf"


def test_definitions_of_an_included_file_stay(tree: Path) -> None:
    loaded = config.loads("include sub/outer.conf\nglobal_defs {\n router_id ${FROM}\n}")
    assert loaded.global_defs.router_id == "inner"


@pytest.mark.parametrize(
    ("keyword", "told"),
    [
        # a missing file, a wildcard without match, an alternative without match,
        # a directory, an executable file
        ("include", ["note", "", "note", "note", "note"]),
        ("includer", ["note", "", "note", "error", "error"]),
        ("includem", ["error", "", "note", "error", "error"]),
        ("includew", ["error", "error", "note", "error", "error"]),
        ("includeb", ["note", "", "error", "note", "note"]),
        ("includea", ["error", "error", "error", "error", "error"]),
    ],
)
def test_what_is_an_error_depends_on_the_variant(tree: Path, keyword: str, told: list[str]) -> None:
    patterns = ["none.inc", "none*.inc", "{1,none}.inc", "dir.inc", "run.inc"]
    codes = ["FV020", "FV020", "FV020", "FV021", "FV021"]
    for pattern, severity, code in zip(patterns, told, codes, strict=True):
        expected = [f"{severity} {code}"] if severity else []
        assert findings(f"{keyword} {pattern}") == expected
        if keyword == "includea":
            assert findings(f"include {pattern}", all_config=True) == expected


def test_include_check_is_for_the_includes_below_it_in_its_file(tree: Path) -> None:
    check = "global_defs {{\n include_check {}\n}}\n"
    missing = "include none.inc\n"
    assert findings(missing + check.format("match")) == ["note FV020"]
    assert findings(check.format("match") + missing) == ["error FV020"]
    assert findings(check.format("") + missing) == ["error FV020"]
    assert findings(check.format("wildcard_match") + missing) == ["note FV020"]
    assert findings(check.format("-match") + missing, all_config=True) == ["note FV020"]
    (tree / "check.inc").write_text(check.format("match") + missing)
    assert findings("include check.inc\n" + missing) == ["error FV020", "note FV020"]


@pytest.mark.parametrize(
    ("before", "words", "after"),
    [
        (Check.NONE, "", Check.ALL),
        (Check.ALL, "read", Check.READ),
        (Check.NONE, "read match", Check.READ | Check.MATCH),
        (Check.READ, "+match", Check.READ | Check.MATCH),
        (Check.ALL, "-read -brace_match", Check.MATCH | Check.WILDCARD_MATCH),
        (Check.READ, "unknown", Check.NONE),
    ],
)
def test_include_check_words(before: Check, words: str, after: Check) -> None:
    assert changed(before, words.split()) == after


def test_a_file_that_cannot_be_read_is_told(tree: Path) -> None:
    (tree / "broken.inc").symlink_to("nowhere")
    os.mkfifo(tree / "pipe.inc")
    assert findings("include broken.inc") == ["note FV021"]
    assert findings("includer broken.inc") == ["error FV021"]
    assert findings("includer pipe.inc") == ["error FV021"]


def test_a_loop_is_an_error_that_shows_the_chain(tree: Path) -> None:
    (tree / "x.conf").write_text("include y.conf")
    (tree / "y.conf").write_text("\ninclude ./x.conf")
    with pytest.raises(config.ConfigError) as caught:
        config.load("x.conf")
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.file, found.span.line) == ("FV022", "y.conf", 2)
    assert "x.conf includes y.conf includes x.conf" in found.message
    assert [str(place.span) for place in found.span.via] == ["x.conf:1:1"]


def test_including_a_file_twice_is_no_loop(tree: Path) -> None:
    (tree / "id.inc").write_text("router_id r\n")
    text = "global_defs {\n include id.inc\n}\nglobal_defs {\n include id.inc\n}\n"
    assert findings(text) == []


def test_include_errors_have_their_codes() -> None:
    assert {"FV020", "FV021", "FV022"} < INCLUDE_ERRORS


@pytest.mark.parametrize(
    "pattern",
    [
        "../secret.inc",
        "{above}/secret.inc",
        "link.inc",
        "linked/secret.inc",
        "l*/secret.inc",
        "*/../../secret.inc",
        "/etc/passwd",
        "/etc/pass*",
        "sub/../../secret.inc",
    ],
)
def test_includes_stay_below_root(tree: Path, pattern: str) -> None:
    root = tree / "root"
    (root / "sub").mkdir(parents=True)
    (tree / "secret.inc").write_text("global_defs {\n router_id leaked\n}")
    (root / "link.inc").symlink_to(tree / "secret.inc")
    (root / "linked").symlink_to(tree)
    with pytest.raises(config.ConfigError) as caught:
        config.loads(f"include {pattern.format(above=tree)}", root=root)
    assert [one.code for one in caught.value.diagnostics] == ["FV023"]
    assert "leaked" not in str(caught.value)


def test_below_root_everything_can_be_included(tree: Path) -> None:
    (tree / "inside").symlink_to(tree / "sub")
    (tree / "etc").symlink_to(tree)
    for pattern in ("1.inc", f"{tree}/1.inc", "inside/outer.conf", "in*/outer.conf", "etc/1.inc"):
        (script,) = config.loads(f"include {pattern}", root=tree).scripts
        assert script.name in ("s11", "inner")
    (script,) = config.load(tree / "sub" / "outer.conf", root=str(tree)).scripts


def test_included_texts_are_limited(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "deep").mkdir()
    for depth in range(40):
        (tree / "deep" / f"{depth}").write_text(f"include {depth + 1}")
    assert findings("include deep/0") == ["error FV002"]
    assert findings("include deep/20") == ["note FV020"]
    monkeypatch.setattr("fastvrrp.config.expand.MAX_FILES", 3)
    assert findings("include 1.inc\n" * 3) == []
    assert findings("include 1.inc\n" * 4) == ["error FV002"]
    assert findings("include " + "{a,b}" * 40) == ["error FV002"]
    assert findings("include " + "{" * 400 + "}" * 400) == ["error FV002"]
    monkeypatch.setattr("fastvrrp.config.source.MAX_BYTES", 40)
    (tree / "large.inc").write_text("#" * 41)
    assert findings("include large.inc") == ["error FV002"]


def test_a_pattern_may_name_the_configuration_itself(tree: Path) -> None:
    loaded = config.load("[12].inc")
    assert [script.name for script in loaded.scripts] == ["s11", "s21"]
    assert "FV024" in [one.code for one in loaded.diagnostics]
    assert [script.name for script in config.load("{2,none}.inc").scripts] == ["s21"]
    with pytest.raises(config.ConfigError, match="FV001"):
        config.load("none*")


def test_an_executable_configuration_is_read_and_told(tree: Path) -> None:
    assert "FV021" in [one.code for one in config.load(tree / "run.inc").diagnostics]


def test_findings_are_in_the_order_of_reading(tree: Path) -> None:
    (tree / "bad.inc").write_text("first\nsecond")
    loaded = config.loads("zero\ninclude bad.inc\nthird\ninclude bad.inc\nfourth")
    told = [one.message.split()[2].rstrip(";") for one in loaded.diagnostics]
    assert told == ["zero", "first", "second", "third", "first", "second", "fourth"]
    assert [str(place.span) for place in loaded.diagnostics[4].span.via] == ["<string>:4:1"]


def test_what_is_no_file_is_an_error_and_never_waited_for(tree: Path) -> None:
    """Given a FIFO that nobody writes to, a directory, a device, then each is refused at once."""
    os.mkfifo(tree / "pipe")
    for name, why in (
        (tree / "pipe", "it is not a regular file"),
        (tree, "Is a directory"),
        (Path("/dev/zero"), "it is not a regular file"),
    ):
        with pytest.raises(config.ConfigError, match=f"cannot be read: {why}"):
            config.load(name)
    assert findings("include pipe\nincluder pipe") == ["note FV021", "error FV021"]
