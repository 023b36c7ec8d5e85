"""Conditional lines, definitions and sequences: what is left to read of a text.

The tables were compared with what keepalived says of the same texts.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fastvrrp import config
from fastvrrp.config.expand import Around
from fastvrrp.config.reader import Statement, read
from fastvrrp.config.source import Report, make_source


def examine(
    text: str, *, config_id: str = "foo", environ: Mapping[str, str] | None = None
) -> tuple[list[str], list[str]]:
    """Return the statements of a text, each with its words joined by |, and all findings."""
    report = Report()
    source = make_source("k.conf", text, report)
    assert source is not None
    around = Around(config_id=config_id, environ=environ or {})
    statements = read([(source, Path())], around, report)
    return list(flat(statements)), [f"{one.span.line} {one.code}" for one in report.finish()]


def flat(statements: tuple[Statement, ...]) -> list[str]:
    lines = []
    for one in statements:
        lines.append("|".join(word.text for word in one.words))
        if one.block is not None:
            lines += ["{", *flat(one.block), "}"]
    return lines


def statements_of(text: str) -> list[str]:
    return examine(text)[0]


def codes_of(text: str) -> list[str]:
    return examine(text)[1]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("@foo x1", ["x1"]),
        ("@foox x1", []),
        ("@Foo x1", []),
        ("@^foo x1", []),
        ("@^bar x1", ["x1"]),
        ("  @foo\tx1", ["x1"]),
        ("@ x1", []),
        ("@^ x1", ["x1"]),
        ("@foo", []),
        ("@foo # x", []),
        ("@foo@bar x", []),
        ("@foo @foo x", ["@foo|x"]),
        ("@foo $X=2\nx ${X}", ["x|2"]),
        ("@bar $X=2\n'${X}'", ["'${X}'"]),
        ("$X=foo\n@$X x\n@${X} y", []),
        ("$Y=@foo\n${Y} z", ["z"]),
        ("$Y=@bar\n${Y} z", []),
        ("a {\n @foo b\n @bar c\n}", ["a", "{", "b", "}"]),
        ("a { @foo b\n}", ["a", "{", "b", "}"]),
        ("a { @bar b\n}", ["a", "{", "}"]),
        ("x@foo y", ["x@foo|y"]),
        ("x\n# @foo y\n@foo z", ["x", "z"]),
    ],
)
def test_conditional_lines(text: str, left: list[str]) -> None:
    assert statements_of(text) == left


def test_the_config_id_is_the_name_of_the_host_up_to_a_dot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Host:
        nodename = "node7.example.org"

    monkeypatch.setattr("os.uname", Host)
    text = "global_defs {\n @node7 router_id a\n @node8 router_id b\n}"
    assert config.loads(text).global_defs.router_id == "a"
    assert config.loads(text, config_id="node8").global_defs.router_id == "b"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("$A=one two\nx $A", ["x|one|two"]),
        ("$A= \t one \t \nx $A y", ["x|one|y"]),
        ("  $A=1\nx $A", ["x|1"]),
        ("$A=1 # why\nx $A", ["x|1"]),
        ("$A=1\n$A=2\nx $A", ["x|2"]),
        ("x $A\n$A=2\nx $A", ["x|$A", "x|2"]),
        ("$A=\nx $A y${A}z", ["x|yz"]),
        ("$A=\n$A\n${A}\nx", ["x"]),
        ("$A=1\n$A x", ["1|x"]),
        ("$A=1\nx$A y${A}z", ["x1|y1z"]),
        ("$A=1\n${A}x $A", ["1x|1"]),
        ("$A=1\nx ($A) $A,$A", ["x|(1)|1,1"]),
        ("$A=1\n'$A' $A; $A: $A/ $A. $A-", ["'$A'|$A;|$A:|$A/|$A.|$A-"]),
        ('$A=1\nx "$A ${A}" "$A"', ["x|1 1|$A"]),
        ("$N=7\nx 10.0.0.$N/24 10.0.0.${N}/24", ["x|10.0.0.$N/24|10.0.0.7/24"]),
        ("$A=1\nx $AB ${AB} $ A $", ["x|$AB|${AB}|$|A|$"]),
        ("$a=1\n$A=2\nx $a $A", ["x|1|2"]),
        ("$a=1\nx $$a $a$a ${a}${a}", ["x|$1|$a1|11"]),
        ("$_X1=1\nx $_X1", ["x|1"]),
        ("$1X=1\nx $1X", ["$1X=1", "x|$1X"]),
        ("$N=6\n$N =8\nx $N", ["6|=8", "x|6"]),
        ('$Q="a b"\nx $Q', ["x|a b"]),
        ("$A=$B\n$B=1\nx $A", ["x|1"]),
        ("$A=10.0.0.$N\n$N=7\nx ${A} ${A}/24", ["x|10.0.0.7|10.0.0.$N/24"]),
        ("$DEF1=v\n$K=1\nx ${DEF${K}}", ["x|v"]),
        ("$K=1\n$DEF${K}=v\nx ${DEF1}", ["x|v"]),
        ("$A=x { y\n$A\n}", ["x", "{", "y", "}"]),
        ("$A={ y } z\nx $A", ["x", "{", "y", "}", "z"]),
        ("a { $A=3\nx ${A}\n}", ["a", "{", "x|3", "}"]),
        ("$KEY=priority\n$KEY 100", ["priority|100"]),
        ("$A=a\\#b\nx $A", ["x|a#b"]),
        ('$A="a#b"\nx $A', ["x|a#b"]),
        ("x # $A", ["x"]),
    ],
)
def test_definitions(text: str, left: list[str]) -> None:
    assert statements_of(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("$M=a \\\nb\n$M", ["a", "b"]),
        ("$M=a \\\nb\npre $M", ["pre|a", "b"]),
        ("$M=a \\\nb\npre ${M} # why", ["pre|a", "b"]),
        ("$M=\\\na\\\nb\nx $M", ["x|a", "b"]),
        ("$M=a\\\n   \n# why\nb\n$M", ["a", "b"]),
        ("$M=a\\ \nb\n$M", ["a", "b"]),
        ("$M=a \\\\\nb\n$M", ["a|\\", "b"]),
        ("$M=a \\\n @foo b \\\n @bar c \\\n d\n$M", ["a", "b", "d"]),
        ("$M=a \\\nb {\\\nc\n$M\n}", ["a", "b", "{", "c", "}"]),
        ("$A=x \\\n$B\n$B=y \\\nz\n$A", ["x", "y", "z"]),
        ("$M=a${N} \\\nb${N}\n~SEQ(N,2) $M", ["a1", "b1", "a2", "b2"]),
        ("$M=x \\\n~SEQ(N,2) y${N}\n$M", ["x", "y1", "y2"]),
        ("$M=a \\\nb\n$N=${M}\nq $N", ["q|a", "b"]),
        ("$M=a \\\nb\n$M=c\nx ${M}y", ["x|cy"]),
        ("$M=a \\\nb\n'${M}' ${M} c $M d", ["'${M}'|${M}|c|$M|d"]),
        ("x \\\ny", ["x|\\", "y"]),
    ],
)
def test_definitions_of_several_lines(text: str, left: list[str]) -> None:
    assert statements_of(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("x $_INSTANCE ${_INSTANCE}", ["x|foo|foo"]),
        (f"x ${{_PWD}}/y\n$_PWD {Path.cwd()}", [f"x|{Path.cwd()}/y", f"{Path.cwd()}|{Path.cwd()}"]),
        ("x ${_ENV SOME} ${_ENV\tSOME}", ["x|value|value"]),
        ("x [${_ENV NONE}]", ["x|[]"]),
        ("x y${_HASH}z", ["x|y"]),
        ("x y${_BANG}z", ["x|y"]),
        ('x "y${_HASH}z"', ["x|y#z"]),
        ("${_HASH} x", []),
        ("$_RANDOM=4\nx ${_RANDOM} $_RANDOM", ["x|4|4"]),
        ("$_PWD=/x\nx ${_PWD}", ["x|/x"]),
        ("x ${_RANDOM 3 3} ${_RANDOM  -2  -2 } ${_RANDOM 32767}", ["x|3|-2|32767"]),
    ],
)
def test_predefined_names(text: str, left: list[str]) -> None:
    assert examine(text, environ={"SOME": "value"})[0] == left


def test_random_numbers_are_in_their_range_and_new_at_each_use() -> None:
    text = '~SEQ(i, 200) "${_RANDOM 10 19} ${_RANDOM}"'
    drawn = [line.split() for line in statements_of(text)]
    assert {int(low) for low, _ in drawn} == set(range(10, 20))
    assert len({any_ for _, any_ in drawn}) > 100
    assert all(0 <= int(any_) <= 32767 for _, any_ in drawn)


def test_a_seed_makes_random_numbers_the_same() -> None:
    text = "global_defs {\n random_seed 7\n}\n~SEQ(i, 5) x ${_RANDOM}"
    assert statements_of(text) == statements_of(text)
    assert statements_of(text) != statements_of(text.replace("7", "8"))


@pytest.mark.parametrize("arguments", ["x y", "1 2 3", "1.5", "9 3", "9999999999"])
def test_wrong_arguments_of_random_are_told(arguments: str) -> None:
    assert "1 FV018" in codes_of(f"x ${{_RANDOM {arguments}}}")


def test_limits_in_the_wrong_order_give_the_first() -> None:
    assert statements_of("x ${_RANDOM 9 3}") == ["x|9"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("~SEQ(N,3) s_${N}", ["s_1", "s_2", "s_3"]),
        ("~SEQ(N,3) s_$N", ["s_1", "s_2", "s_3"]),
        ("~SEQ(N,-2) s_${N}", ["s_-1", "s_-2"]),
        ("~SEQ(N,0) s_${N}", ["s_1", "s_0"]),
        ("~SEQ(N, 2, 4) s_${N}", ["s_2", "s_3", "s_4"]),
        ("~SEQ(N, 0, -2) s_${N}", ["s_0", "s_-1", "s_-2"]),
        ("~SEQ(N, 0x10, -4, 010) s_${N}", ["s_16", "s_12", "s_8"]),
        ("~SEQ(N, 1, +2, 4) s_${N}", ["s_1", "s_3"]),
        ("~SEQ(N, 2147483647, 2147483648) s_${N}", ["s_2147483647", "s_2147483648"]),
        ("~SEQx(N, 10, 12) 10.0.0.1${N}", ["10.0.0.1a", "10.0.0.1b", "10.0.0.1c"]),
        ("~SEQx(N,0x20,-16,0) x${N}", ["x20", "x10", "x0"]),
        ("~SEQ(N, 1, 2)s${N}", ["s1", "s2"]),
        ("~SEQ( N , 1 , 2 )   s${N}", ["s1", "s2"]),
        ("~SEQ (N,1) s${N}", ["s1"]),
        ("$C=2\n~SEQ(N, ${C}) s${N}\n~SEQ(N, $C) t${N}", ["s1", "s2", "t1", "t2"]),
        ("$C=1, 2\n~SEQ(N, ${C}) s${N}", ["s1", "s2"]),
        ("~SEQ(I, 2) ~SEQ(J, ${I}) s${I}${J}", ["s11", "s21", "s22"]),
        ("~SEQ(N, 2) x${N} {\n}\n}", ["x1", "{", "x2", "{", "}", "}"]),
        ("~SEQ(N, 2) v { w${N} }", ["v", "{", "w1", "}", "v", "{", "w2", "}"]),
        ("~SEQ(N, 2) @bar x\n~SEQ(N, 2) @foo y", ["y", "y"]),
        ("~SEQ(N, 3)\nx ${N}", ["x|3"]),
        ("~SEQ(N, 2) x\nn ${N}", ["x", "x", "n|2"]),
        ("~SEQ(K, 2) $D${K}=v${K}\nx ${D1} ${D2}", ["x|v1|v2"]),
        ("a { ~SEQ(N, 2) x${N}\n}", ["a", "{", "x1", "x2", "}"]),
    ],
)
def test_sequences_of_numbers(text: str, left: list[str]) -> None:
    assert statements_of(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("~LST(L, a, b) x${L}", ["xa", "xb"]),
        ("~LST(L,a , b )x${L}", ["xa", "xb"]),
        ("~LST(L,a,,b) x_${L}", ["x_a", "x_", "x_b"]),
        ("~LST(L,a,) x_${L}", ["x_a", "x_"]),
        ("~LST(L, 192.0.2.1/24, fe80::1) x ${L}", ["x|192.0.2.1/24", "x|fe80::1"]),
        ("~LST({A,B}, {1,2}, {3}, {,5}, {}) x_${A}_${B}", ["x_1_2", "x_3_", "x__5", "x__"]),
        ("~LST({A,B}, { 1 , 2 }, 3) x_${A}_${B}", ["x_1_2", "x_3_"]),
        ("~LST(L, {a}, {b}) x${L}", ["xa", "xb"]),
        ("~LST({L}, a, b) x${L}", ["xa", "xb"]),
        ("$X=7\n~LST(L,$X,9) x ${L}", ["x|7", "x|9"]),
        ("~LST(I, a, b) ~LST(J, c, d) x ${I}${J}", ["x|ac", "x|ad", "x|bc", "x|bd"]),
        ("~LST(L, eth0, eth1) interface ${L} {\n}\n}", ["interface|eth0", "{"]),
        ("~LST(L, a, b)\nx ${L}", ["x|b"]),
    ],
)
def test_sequences_of_values(text: str, left: list[str]) -> None:
    assert statements_of(text)[: len(left)] == left


@pytest.mark.parametrize(
    "line",
    [
        "~SEQ x",
        "~SEQ(N) x",
        "~SEQ() x",
        "~SEQ(,4) x",
        "~SEQ(N, a) x",
        "~SEQ(N, 1.5) x",
        "~SEQ(N, 1 2) x",
        "~SEQ(N, 4,) x",
        "~SEQ(N, 1,2,3,4) x",
        "~SEQ(N, 1, 0, 3) x",
        "~SEQ(N, 4, 1, 3) x",
        "~SEQ(N, 1, -1, 3) x",
        "~SEQ(N, ${X}) x",
        "~SEQ(N, 99999999999999999999) x",
        "~SEQx(N, -2) x",
        "~SEQx(N, -1, 1) x",
        "~SEQ(N, 2",
        "~LST x",
        "~LST(L) x",
        "~LST(L, a",
        "~LST(L, a b) x",
        "~LST(L, (a)) x",
        "~LST(, a) x",
        "~LST({A,B}, {1,2,3}) x",
        "~LST({A,B}, {1 2,3}) x",
        "~LST(L, ${X}) x",
        "~LSTx(L, a) x",
    ],
)
def test_a_sequence_that_makes_no_sense_is_told_and_skipped(line: str) -> None:
    assert examine(f"before\n{line}\nafter") == (["before", "after"], ["2 FV017"])


def test_other_lines_with_a_tilde_are_ordinary() -> None:
    assert examine("~ x\n~FOO(1)") == (["~|x", "~FOO(1)"], [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x $NOPE", ["1 FV013"]),
        ('x "${NOPE}"', ["1 FV013"]),
        ("x ${NOPE}", ["1 FV013"]),
        ("x $NOPE\nx $NOPE", ["1 FV013"]),
        ("$N=1\nx 10.0.0.$N/24", ["2 FV014"]),
        ("$N=1\nx ${N y}", ["2 FV014"]),
        ("x ${_ENV}", ["1 FV014"]),
        ("$M=a \\\nb\nx ${M} y", ["3 FV015"]),
        ("x\n$M=a \\\nb \\", ["2 FV016"]),
        ("x cost$ 5$ $5 $", []),
        ("script \"/bin/sh -c 'kill $PID'\"", []),
        ("# $NOPE ${NOPE}", []),
    ],
)
def test_what_is_not_replaced_is_told_once(text: str, told: list[str]) -> None:
    assert codes_of(text) == told


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("x $NOPE", config.Severity.NOTE),
        ('x "${NOPE}"', config.Severity.NOTE),
        ("x ${NOPE}", config.Severity.WARNING),
    ],
)
def test_only_bare_braces_trouble_keepalived(text: str, severity: config.Severity) -> None:
    found = [one for one in config.loads(text).diagnostics if one.code == "FV013"]
    assert [one.severity for one in found] == [severity]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("$INTERFACE=eth0\nx $INTERFCE", "did you mean ${INTERFACE}?"),
        ("x $LATER\n$LATER=1", "a definition counts for the lines below it: move it up"),
        ("x $QQQQ", "define it above: $QQQQ=value"),
        ("$N=1\nx $N/24", "write ${N}"),
        ("x ${_ENV}", "write ${_ENV NAME}"),
    ],
)
def test_hints_say_what_to_write(text: str, hint: str) -> None:
    hints = {one.hint for one in config.loads(text).diagnostics if one.code in ("FV013", "FV014")}
    assert hints == {hint}


def test_what_is_not_replaced_is_a_hint_where_it_does_harm() -> None:
    (found,) = config.loads("$N = 5").diagnostics
    assert found.code == "FV101"
    assert found.hint is not None
    assert "N is not defined" in found.hint
    assert found.hint.endswith("write $N=value, without blanks before =")


def test_a_definition_that_uses_itself_is_an_error() -> None:
    for text in (
        "$A=${A}\n${A}",
        "$A=x $B\n$B=y $A\nz $A",
        "$M=a \\\n$M\n$M",
        "$S=~SEQ(N, 2) $S\n$S",
    ):
        with pytest.raises(config.ConfigError, match="FV019"):
            config.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "~SEQ(N, 999999999) x ${N}",
        "~SEQ(N, 999999999)",
        "~SEQ(A, 9999) ~SEQ(B, 9999) ~SEQ(C, 9999) x",
        "".join(f"$A{i}=x\\\n$A{i + 1}\\\n$A{i + 1}\n" for i in range(30)) + "$A30=x\n$A0\n",
    ],
)
def test_bombs_are_stopped_and_told(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastvrrp.config.expand.MAX_USES", 1000)
    with pytest.raises(config.ConfigError) as caught:
        config.loads(text)
    (found,) = (one for one in caught.value.diagnostics if one.code == "FV002")
    assert "1000 texts" in found.message
    assert found.source


def test_the_size_of_what_is_expanded_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastvrrp.config.expand.MAX_TOTAL", 1 << 20)
    text = "$A=" + "y" * 900 + "\n~SEQ(N, 2000) x $A"
    with pytest.raises(config.ConfigError, match="FV002"):
        config.loads(text)


def test_an_expanded_line_may_have_1023_bytes() -> None:
    text = f"$A={'y' * 500}\nx ${{A}}${{A}}{'z' * {'fits': 21, 'too long': 22}['fits']}"
    assert statements_of(text) == ["x|" + "y" * 1000 + "z" * 21]
    assert examine(text + "z") == ([], ["2 FV012"])


@pytest.mark.parametrize("line", ["x" * 1022, "é" * 511, "# " + "é" * 510])
def test_a_line_may_have_1022_bytes(line: str) -> None:
    for text in (f"a\n{line}\nb", f"a\n{line}\nb\n@foo c"):
        left, told = examine(text)
        assert (left[0], told) == ("a", [])
        left, told = examine(text.replace(line, line + "y"))
        assert left[:2] == ["a", "b"]
        assert told == ["2 FV012"]


def test_a_line_with_a_nul_byte_is_skipped() -> None:
    for more in ("", "@foo c\n"):
        left, told = examine(f"a\nx\0y {{\nb\n{more}")
        assert (left[:2], told) == (["a", "b"], ["2 FV003"])
