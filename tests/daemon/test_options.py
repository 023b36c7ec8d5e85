import pytest

from fastvrrp.daemon.options import (
    IGNORED,
    OPTIONS,
    REFUSED,
    USED,
    Option,
    Options,
    UsageError,
    parse,
)

# keepalived 2.4.3's options, as its documentation lists them.
KEEPALIVED_SHORT = "fPCBlDSgGuXVITcaRndprbxAsmMeitvh"
KEEPALIVED_LONG = ["all", "flush-log-file", "ignore-sigint", "signum", "config-fd", "debug"]


@pytest.mark.parametrize(
    ("args", "field", "value"),
    [
        (["--use-file=/a"], "config_file", "/a"),
        (["--use-file", "/a"], "config_file", "/a"),
        (["-f/a"], "config_file", "/a"),
        (["-f", "/a"], "config_file", "/a"),
        (["--use=/a"], "config_file", "/a"),
        (["-nf", "/a"], "config_file", "/a"),
        (["-p/a"], "pid_file", "/a"),
        (["--pid", "/a"], "pid_file", "/a"),
        (["-r", "/a"], "vrrp_pid_file", "/a"),
        (["--vrrp_pid=/a"], "vrrp_pid_file", "/a"),
        (["-n"], "dont_fork", True),
        (["--dont-fork"], "dont_fork", True),
        (["-l"], "log_console", True),
        (["--log-console"], "log_console", True),
        (["-DD"], "log_detail", True),
        (["--log-detail"], "log_detail", True),
        (["-G"], "no_syslog", True),
        (["--no-syslog"], "no_syslog", True),
        (["-S", "3"], "facility", 19),
        (["--log-facility=local7"], "facility", 23),
        (["-u", "022"], "umask", 0o022),
        (["-u0x3f"], "umask", 0o077),
        (["-i", "node"], "config_id", "node"),
        (["--config-id=node"], "config_id", "node"),
        ([], "config_id", None),
        (["-e"], "all_config", True),
        (["--all-config"], "all_config", True),
        ([], "all_config", False),
        (["-t"], "config_test", ""),
        (["-t/log"], "config_test", "/log"),
        (["--config-test"], "config_test", ""),
        (["--config-test=/log"], "config_test", "/log"),
        (["--signum", "JSON"], "signum", "JSON"),
        (["--record", "/r"], "record", "/r"),
        ([], "record", None),
        (["-v"], "version", True),
        (["--help"], "help", True),
        ([], "umask", 0o077),
        ([], "pid_file", "/run/keepalived.pid"),
        ([], "vrrp_pid_file", "/run/vrrp.pid"),
        ([], "config_file", "/etc/keepalived/keepalived.conf"),
    ],
)
def test_option_sets_its_field(args: list[str], field: str, value: object) -> None:
    options = parse(args)
    assert getattr(options, field) == value
    assert options.messages == []


def test_grouped_letters_are_separate_options() -> None:
    options = parse(["-nlDG"])
    assert options.dont_fork
    assert options.log_console
    assert options.log_detail
    assert options.no_syslog


@pytest.mark.parametrize("args", [["-P"], ["--vrrp"], ["-c", "/a"], ["--bfd_pid=/a"], ["-B"]])
def test_options_without_object_are_silent(args: list[str]) -> None:
    assert vars(parse(args)) == vars(Options())


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["-z"], "invalid option -- 'z'"),
        (["--zero"], "unrecognized option '--zero'"),
        (["-f"], "option requires an argument -- 'f'"),
        (["--use-file"], "option '--use-file' requires an argument"),
        (["--vrrp=yes"], "option '--vrrp' doesn't allow an argument"),
        (["--log"], "option '--log' is ambiguous"),
        (["--use-file="], "needs a non-empty value"),
        (["-u", "1777"], "umask '1777'"),
        (["-u", "x"], "umask 'x'"),
        (["-S", "8"], "log facility '8'"),
        (["-s", "ns1"], "ip netns exec"),
        (["-i"], "option requires an argument -- 'i'"),
        (["--config-id="], "needs a non-empty value"),
        (["-C"], "not supported yet"),
    ],
)
def test_unusable_command_line_says_what_is_wrong(args: list[str], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        parse(args)


def test_operands_are_reported_and_ignored() -> None:
    options = parse(["a", "-n", "--", "-D"])
    assert options.messages == ["Unexpected argument(s): a -D"]
    assert options.dont_fork
    assert not options.log_detail


def test_detached_word_is_no_report_file_of_config_test() -> None:
    """A configuration named after `-t` by mistake must never be written to."""
    options = parse(["-t", "/etc/keepalived/keepalived.conf"])
    assert options.config_test == ""
    assert options.messages == ["Unexpected argument(s): /etc/keepalived/keepalived.conf"]


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.status == IGNORED], ids=str)
def test_unsupported_option_is_ignored_with_a_message(option: Option) -> None:
    long = option.long
    value = "=x" if option.requires_value else ""
    assert "not supported yet, ignored" in parse([f"--{long}{value}"]).messages[0]


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.status == REFUSED], ids=str)
def test_dangerous_unsupported_option_is_refused(option: Option) -> None:
    long = option.long
    value = "=x" if option.requires_value else ""
    with pytest.raises(UsageError, match="not supported yet"):
        parse([f"--{long}{value}"])


def test_table_has_every_option_of_keepalived_once() -> None:
    shorts = [option.short for option in OPTIONS if option.short]
    assert sorted(shorts) == sorted(KEEPALIVED_SHORT)
    longs = [option.long for option in OPTIONS]
    assert len(set(longs)) == len(longs)
    assert set(KEEPALIVED_LONG) <= set(longs)


def test_every_used_option_has_a_field() -> None:
    fields = vars(Options())
    assert all(option.field in fields for option in OPTIONS if option.status == USED)
