"""The shape of the language: comments, quotes, lines and braces, command words."""

from pathlib import Path

import pytest

from fastvrrp import config
from fastvrrp.clock import Nanoseconds, seconds
from fastvrrp.config.command import split_command, split_line
from fastvrrp.config.model import AuthType, Config, InstanceConfig, Version

EXAMPLES = Path(__file__).parents[2] / "examples"


def instance(body: str, *, before: str = "") -> InstanceConfig:
    """Return an instance that has what is mandatory, and `body`."""
    text = f"""{before}
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    {body}
    virtual_ipaddress {{
        192.0.2.1/24
    }}
}}
"""
    return config.loads(text).instances[0]


def codes(text: str) -> list[str]:
    """Return the codes of all findings of a text."""
    try:
        return [found.code for found in config.loads(text).diagnostics]
    except config.ConfigError as error:
        return [found.code for found in error.diagnostics]


def warnings(loaded: Config) -> list[str]:
    """Return the codes of what keepalived reports as well; the rest depends on the file's mode."""
    return [d.code for d in loaded.diagnostics if d.severity is not config.Severity.NOTE]


def test_the_tutorial_loads_exactly() -> None:
    loaded = config.load(EXAMPLES / "web1.conf")
    (script,) = loaded.scripts
    assert (script.name, script.command.argv) == ("chk_nginx", ("killall", "-0", "nginx"))
    assert (script.interval, script.weight, script.rise, script.fall) == (seconds(2), 4, 1, 1)
    (vr,) = loaded.instances
    assert (vr.name, vr.interface, vr.vrid, vr.priority) == ("VI_1", "eth0", 50, 100)
    assert (vr.version, vr.advert_interval) == (Version.V2, seconds(1))
    assert not vr.initial_active, "AH starts as BACKUP"
    assert str(vr.source) == "10.12.166.81"
    assert [str(a.address) for a in vr.addresses] == ["10.12.166.80/32"]
    assert vr.auth is not None
    assert vr.auth.type is AuthType.AH
    assert vr.auth.password.reveal() == b"cuongqua"
    assert [use.name for use in vr.scripts] == ["chk_nginx"]
    assert warnings(loaded) == ["FV206", "FV204"]


@pytest.mark.parametrize(
    ("name", "priority", "preempt"),
    [("web2", 98, True), ("nopreempt1", 51, False), ("nopreempt2", 50, False)],
)
def test_the_other_examples_load(name: str, priority: int, preempt: bool) -> None:
    loaded = config.load(EXAMPLES / f"{name}.conf")
    assert (loaded.instances[0].priority, loaded.instances[0].preempt) == (priority, preempt)
    assert warnings(loaded) == ["FV204"]


@pytest.mark.parametrize("mark", ["#", "!"])
def test_comments_run_to_the_end_of_the_line(mark: str) -> None:
    text = f'{mark} a {{ brace and a " quote\n'
    vr = instance(f"priority 150{mark}100 }}\n    {mark}\n    nopreempt {mark} why", before=text)
    assert (vr.priority, vr.preempt) == (150, False)


def test_an_escaped_comment_mark_is_a_character() -> None:
    loaded = config.loads("global_defs {\n router_id a\\#b\\!c # comment\n}")
    assert loaded.global_defs.router_id == "a#b!c"


def test_a_quoted_word_keeps_blanks_and_comment_marks() -> None:
    loaded = config.loads('global_defs {\n router_id "a # b ! { c }"\n}')
    assert loaded.global_defs.router_id == "a # b ! { c }"


def test_a_quote_inside_a_word_starts_a_new_word() -> None:
    loaded = config.loads('global_defs {\n notification_email {\n ab"c d"e\n }\n}')
    assert loaded.global_defs.notification_email == ("ab", "c d", "e")


def test_a_quoted_number_may_have_leading_blanks() -> None:
    assert instance('priority "  120"').priority == 120


def test_surplus_words_are_not_used() -> None:
    assert instance("priority 120 130").priority == 120


BODIES = [
    "global_defs {\n router_id r1\n}",
    "global_defs\n{\n router_id r1\n}",
    "global_defs # why\n\n  # how\n{ router_id r1\n}",
    "global_defs { router_id r1 }",
    "global_defs{ router_id r1 }",
    "global_defs {router_id r1}",
    "\t global_defs\t{\r\n\trouter_id\tr1\r\n}\r\n",
    "global_defs {\n} global_defs {\n router_id r1 }",
    "global_defs {\n router_id r1\n}vrrp_script x {\n script y\n}",
]


@pytest.mark.parametrize("text", BODIES)
def test_braces_may_stand_anywhere(text: str) -> None:
    assert config.loads(text).global_defs.router_id == "r1"


def test_a_line_holds_one_statement() -> None:
    """keepalived: the words behind the command belong to it, so the interval is not set."""
    text = 'vrrp_script chk { script "/x" interval 2 }'
    (script,) = config.loads(text).scripts
    assert (script.command.argv, script.interval) == (("/x",), seconds(1))
    assert "FV105" in codes(text)


def test_windows_lines_and_a_missing_last_newline_make_no_difference() -> None:
    text = (EXAMPLES / "web1.conf").read_text()
    assert config.loads(text.replace("\n", "\r\n").rstrip()) == config.loads(text)


def test_a_byte_order_mark_is_told_and_odd_bytes_in_comments_are_not(tmp_path: Path) -> None:
    path = tmp_path / "k.conf"
    path.write_bytes(b"\xef\xbb\xbfglobal_defs { # caf\xe9\n router_id \xc3\xa9t\xc3\xa9\n}")
    loaded = config.load(path)
    assert loaded.global_defs.router_id == "\xe9t\xe9"
    assert [one.code for one in loaded.diagnostics if one.code < "FV1"] == ["FV011"]


def test_odd_bytes_in_words_are_told(tmp_path: Path) -> None:
    path = tmp_path / "k.conf"
    path.write_bytes(b"global_defs {\n script_user caf\xe9\n}")
    (found,) = config.load(path).diagnostics
    assert (found.code, found.span.line, found.span.column) == ("FV004", 2, 14)


def test_a_quote_without_end_is_told_and_its_brace_still_opens() -> None:
    assert codes('vrrp_script "chk {\n script /x\n}')[:1] == ["FV005"]
    assert "FV008" not in codes('vrrp_script "chk {\n script /x\n}')


def test_a_backslash_does_not_continue_a_line() -> None:
    loaded = config.loads("global_defs {\n router_id a \\\n b\n}")
    assert loaded.global_defs.router_id == "a"
    surplus = next(one for one in loaded.diagnostics if one.code == "FV105")
    assert surplus.hint is not None
    assert "does not continue it" in surplus.hint
    loaded = config.loads("global_defs {\n router_id a\\\n}")
    assert "FV025" in [one.code for one in loaded.diagnostics]


@pytest.mark.parametrize(
    "text", ["{\n}", "global_defs {\n", "}\n", '"x', "global_defs {\n router_id a\u00a0b\n}"]
)
def test_what_keepalived_gets_over_is_a_warning(text: str) -> None:
    found = [one for one in config.loads(text).diagnostics if one.code < "FV1"]
    assert {one.severity for one in found} == {config.Severity.WARNING}


def test_nothing_is_an_empty_configuration() -> None:
    for text in ("", "\n", "# nothing", "\r\n \t"):
        assert config.loads(text) == Config()


def test_a_block_can_be_written_in_parts() -> None:
    text = "global_defs {\n router_id r1\n}\nglobal_defs {\n smtp_server mail 2525\n}"
    loaded = config.loads(text).global_defs
    assert (loaded.router_id, loaded.smtp_server, loaded.smtp_port) == ("r1", "mail", 2525)


@pytest.mark.parametrize(
    ("line", "argv", "user", "group"),
    [
        ("/p/s", ("/p/s",), None, None),
        ("/p/s arg", ("/p/s",), "arg", None),
        ('"/p/s a b" nobody nogroup', ("/p/s", "a", "b"), "nobody", "nogroup"),
        ('"/p/s \'a b\' \\"c d\\" \\x41"', ("/p/s", "a b", '"c', 'd"', "A"), None, None),
        ("'/p/s q1 \"q2 q3\"'", ("/p/s", "q1", "q2 q3"), None, None),
        ("\"'/p/s' x\\ y\"", ("/p/s", "x y"), None, None),
        ("/p/s\\#1 # comment", ("/p/s#1",), None, None),
    ],
)
def test_command_words_are_split_twice(
    line: str, argv: tuple[str, ...], user: str | None, group: str | None
) -> None:
    command = instance(f"notify_fault {line}").notify.fault
    assert command is not None
    assert (command.argv, command.user, command.group) == (argv, user, group)


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        (r"\a\b\E\f\n\r\t\v", ("\a\b\x1b\f\n\r\t\v",)),
        (r"\101\7 \x4a\x4 \cA", ("A\a", "J\x04", "\x01")),
        (r"\q\\ '\'' \"", ("q\\", "'", '"')),
        (r"\xg \xff", ("xg", "\udcff")),
        ("a'b c'd \"e f\"", ("ab cd", "e f")),
        ("  ", ()),
        ("'' x", ("", "x")),
        ("trailing\\", ("trailing\\",)),
    ],
)
def test_escapes_of_a_command(text: str, argv: tuple[str, ...]) -> None:
    assert split_command(text) == argv


def test_the_first_pass_keeps_backslashes() -> None:
    assert split_line(r'script "a \" b" c') == [("script", 0), (r"a \" b", 7), ("c", 16)]


def test_a_command_with_nul_or_without_a_program_is_refused() -> None:
    for command in (r'"/p \x00"', '""', "\"''\""):
        assert {"FV003", "FV103"} & set(codes(f"vrrp_script s {{\n script {command}\n}}"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", seconds(2)), (".5", seconds(0.5)), ("1.25", seconds(1.25)), ("2.", seconds(2))],
)
def test_seconds_are_decimal(text: str, value: Nanoseconds) -> None:
    script = config.loads(f"vrrp_script s {{\n script /x\n interval {text}\n}}").scripts[0]
    assert script.interval == value


@pytest.mark.parametrize("text", ["-1", "1e3", "", ".", "1,5", "0x10", "1.5s", "9" * 400, "٣"])
def test_other_spellings_of_seconds_are_refused(text: str) -> None:
    found = codes(f'vrrp_script s {{\n script /x\n interval "{text}"\n}}')
    assert {"FV103", "FV104"} & set(found)


def test_limits_are_errors_not_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert codes("a {\n" * 40 + "}\n" * 40)[0] == "FV101"
    deep = "vrrp_instance V {\n authentication " + "{\n x " * 40 + "\n}" * 41
    assert "FV002" in codes(deep)
    monkeypatch.setattr("fastvrrp.config.lexer.MAX_WORDS", 10)
    assert "FV002" in codes("global_defs {\n router_id r1\n}\n" * 4)
    monkeypatch.setattr("fastvrrp.config.source.MAX_BYTES", 100)
    assert codes("#" * 101) == ["FV002"]
    (tmp_path / "k.conf").write_bytes(b"#" * 101)
    _, found = config.examine(tmp_path / "k.conf")
    assert [one.code for one in found] == ["FV002"]


def test_more_findings_than_anyone_reads_are_counted() -> None:
    found = config.loads("xyzzy\n" * 1500).diagnostics
    assert len(found) == 1001
    assert "500 more" in found[-1].message


def test_a_file_that_cannot_be_read_is_a_config_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent", "a\0b"):
        with pytest.raises(config.ConfigError, match="FV001"):
            config.load(path)


def test_examine_gives_warnings_and_errors(tmp_path: Path) -> None:
    loaded, found = config.examine(EXAMPLES / "web1.conf")
    assert loaded is not None
    assert loaded.diagnostics == found
    (tmp_path / "k.conf").write_text("xyzzy\n$A=${A}\n$A\n")
    loaded, found = config.examine(tmp_path / "k.conf")
    assert loaded is None
    assert [one.severity for one in found] == [config.Severity.WARNING, config.Severity.ERROR]
