"""Where a finding points to in text that was expanded or included, and what is never shown."""

from pathlib import Path

import pytest

from fastvrrp import config
from fastvrrp.config.diagnostics import Related, Span
from fastvrrp.config.lines import Line, Origin, Reading, join
from fastvrrp.config.source import Source


def findings(text: str) -> tuple[config.Diagnostic, ...]:
    try:
        return config.loads(text, filename="k.conf", config_id="foo").diagnostics
    except config.ConfigError as error:
        return error.diagnostics


def marked(found: config.Diagnostic) -> str:
    """Return the text that the carets stand under."""
    assert found.source is not None
    start = found.span.column - 1
    return found.source[start : start + found.span.length]


def places(found: config.Diagnostic) -> list[str]:
    """Return where the text came from, each with what is marked there."""
    shown = []
    for place in found.span.via:
        assert place.source is not None
        start = place.span.column - 1
        text = place.source[start : start + place.span.length]
        shown.append(f"{place.message} {place.span.line}:{place.span.column} {text}")
    return shown


HEAD = "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n"


@pytest.mark.parametrize(
    ("before", "line", "mark", "via"),
    [
        ("", "  priority 300", "300", []),
        ("", "\t@foo  priority 300", "300", []),
        ("$P=300", "  priority $P", "$P", ["P is defined 1:4 300"]),
        ("$P=  300", "priority ${P} # why", "${P}", ["P is defined 1:6 300"]),
        ("$P=30", "priority ${P}0", "${P}0", ["P is defined 1:4 30"]),
        ("$P=99", "priority 2${P}", "2${P}", ["P is defined 1:4 99"]),
        (
            "$P=x 300 y",
            "@foo   $P",
            "$P",
            ["P is defined 1:4 x"],
        ),
        (
            "$Q=00\n$P=3${Q}",
            "priority $P",
            "$P",
            ["Q is defined 1:4 00", "P is defined 2:4 3${Q}"],
        ),
        (
            "$Q=300\n$P=priority $Q",
            "$P",
            "$P",
            ["Q is defined 1:4 300", "P is defined 2:13 $Q"],
        ),
        (
            "$B=priority 100 \\\n  priority 300 \\\n  advert_int 1",
            "$B",
            "$B",
            ["B is defined 2:12 300"],
        ),
        ("", "~SEQ(N, 300, 300) priority ${N}", "${N}", ["N is defined 1:1 ~SEQ(N, 300, 300)"]),
        ("", "~LST(N, 9, 300) priority ${N}", "${N}", ["N is defined 1:12 300"]),
        ("", "~LST({M,N}, {9,300}) priority ${N}", "${N}", ["N is defined 1:16 300"]),
        ("", "priority ${_RANDOM 300 300}", "${_RANDOM 300 300}", []),
    ],
)
def test_a_finding_points_at_the_use_and_at_the_definition(
    before: str, line: str, mark: str, via: list[str]
) -> None:
    text = "\n".join([*before.splitlines(), HEAD + line, "}"])
    number = text[: text.index(HEAD) + len(HEAD)].count("\n") + 1
    found = next(
        one for one in findings(text) if one.code in ("FV101", "FV104") and one.span.line == number
    )
    assert marked(found) == mark
    if not before:
        via = [place.replace(" 1:", f" {number}:") for place in via]
    assert places(found) == via


def test_a_word_of_several_definitions_is_marked_as_a_whole() -> None:
    (found,) = (
        one
        for one in findings(
            f"$A=10.0.0\n$M=99\n{HEAD} virtual_ipaddress {{\n ${{A}}.1/${{M}}\n }}\n}}"
        )
        if one.span.line == 7
    )
    assert marked(found) == "${A}.1/${M}"


def test_the_rendering_shows_the_line_of_the_definition_and_the_includes(tmp_path: Path) -> None:
    (tmp_path / "body.inc").write_text("$P=300\n\npriority $P\n")
    (tmp_path / "k.conf").write_text(f"{HEAD}  include body.inc\n}}\n")
    _, found = config.examine(tmp_path / "k.conf")
    rendered = next(one for one in found if one.code == "FV104").render()
    assert rendered.replace(f"{tmp_path}/", "").splitlines()[:8] == [
        "body.inc:3:10: warning[FV104]: priority 300 is outside 1 to 255",
        "    3 | priority $P",
        "      |          ^^  in vrrp_instance V (line 1)",
        "   = P is defined at body.inc:1:4",
        "    1 | $P=300",
        "      |    ^^^",
        "   = included at k.conf:4:3",
        "   = hint: 255 is for the owner of the addresses",
    ]


def test_places_do_not_make_two_spans_differ() -> None:
    there = Related("P is defined", Span("k.conf", 1, 4, 3))
    assert Span("k.conf", 3, 10, 2, (there,)) == Span("k.conf", 3, 10, 2)


def test_parts_of_commands_point_at_the_use() -> None:
    text = (
        f'$USER=no,body\n{HEAD} notify_master "/x y" $USER\n virtual_ipaddress {{ 1.2.3.4\n }}\n}}'
    )
    (found,) = (one for one in findings(text) if one.code == "FV219")
    assert found.span.line == 5


SECRET = "Xyzzy42q"
AUTH = "authentication {\n auth_type PASS\n auth_pass $PW\n}"


@pytest.mark.parametrize(
    "text",
    [
        f"$PW={SECRET}\n{HEAD}{AUTH}\n}}",
        f"$PW={SECRET}toolong\n{HEAD}{AUTH}\n}}",
        f"$X={SECRET}\n$PW=${{X}}x{SECRET}\n{HEAD}{AUTH}\n}}",
        f"$PW={SECRET} {SECRET}\n{HEAD}{AUTH}\n}}",
        f'$PW="{SECRET}\n{HEAD}{AUTH}\n}}',
        f"$PW=\\\n {SECRET} \\\n {SECRET}\n{HEAD}{AUTH}\n}}",
        f"$A=authentication {{ \\\n auth_pass {SECRET} \\\n {SECRET} }}\n{HEAD}$A\n}}",
        f"~LST(X, {SECRET}, {SECRET}toolong) $PW=${{X}}\n{HEAD}{AUTH}\n}}",
        f"$PW={SECRET}$X\n$X=$PW\n{HEAD}{AUTH}\n}}",
        f"$PW={SECRET * 100}\n$X=${{PW}}\n{HEAD}authentication {{\n auth_pass ${{X}}${{X}}\n}}\n}}",
        f"{HEAD}authentication {{\n auth_pass\n {SECRET} }}\n}}",
        f"{HEAD}~LST(X, {SECRET})authentication {{\n~LST(PW, {SECRET}) auth_pass ${{PW}}\n}}\n}}",
        f"{HEAD}authentication {{\n auth_pass a$" + SECRET + "\n}\n}",
        f"{HEAD}authentication {{\n auth_pass ${{{SECRET}}}\n}}\n}}",
        f"${SECRET}=1\n{HEAD}authentication {{\n auth_pass x$Xyzzy42p\n}}\n}}",
        f"$MY_PASSWORD={SECRET}\0\n",
        f"$MY_SECRET={SECRET} \\\n",
        f"@foo auth_pass {SECRET} $NOPE\n",
    ],
)
def test_a_secret_is_never_shown(text: str) -> None:
    try:
        loaded = config.loads(text, config_id="foo")
        shown = repr(loaded)
        found = loaded.diagnostics
    except config.ConfigError as error:
        shown, found = str(error), error.diagnostics
    shown += repr(found) + "".join(one.render() for one in found)
    assert SECRET not in shown.replace(f"did you mean ${{{SECRET}}}", "").replace(
        f"${SECRET}=1", ""
    )


def test_an_included_secret_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "pw.inc").write_text(f"{SECRET}\n# and a finding\nauth_pass {SECRET} {SECRET}")
    (tmp_path / "k.conf").write_text(f"{HEAD}authentication {{\n include pw.inc\n}}\n}}")
    _, found = config.examine(tmp_path / "k.conf")
    assert [one.span.file for one in found if one.span.file.endswith("pw.inc")]
    assert SECRET not in repr(found) + "".join(map(str, found))


def test_lines_are_cut_and_joined_with_their_places() -> None:
    reading = Reading(Source("f", "abcdefgh\nXY"), Path())
    line = Line("abcdefgh", ((0, Origin(reading, 1, 1)),))
    value = Line("XY", ((0, Origin(reading, 2, 1)),))
    whole = join((line.cut(0, 2), value.inside(line.place(2, 4), "it is"), line.cut(4)))
    assert whole.text == "abXYefgh"
    assert [whole.span(at, 1).column for at in range(8)] == [1, 2, 3, 3, 5, 6, 7, 8]
    assert whole.span(3, 1).via == (Related("it is", Span("f", 2, 2, 1)),)
    assert whole.cut(3, 6).text == "Yef"
    assert whole.cut(3, 6).span(0, 3) == Span("f", 1, 3, 4)
    assert whole.cut(4).span(0, 1).via == ()
    assert Line(" \tx ", line.pieces).strip().span(0, 1).column == 3
    assert join((line.cut(3, 3),)).span(0, 0) == Span("f", 1, 4, 1)
