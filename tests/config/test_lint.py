"""Configurations that are legal and do not do what their author thinks."""

import os
from pathlib import Path

import pytest

from fastvrrp import config
from fastvrrp.config.diagnostics import Diagnostic, Severity

SCRIPTS = """
vrrp_script a { script /bin/a }
vrrp_script b { script /bin/b }
vrrp_script back { script /bin/c
 weight -5 reverse }
"""


def found(text: str, *, config_id: str = "here") -> list[Diagnostic]:
    """Return the findings of this kind, all of them notes."""
    loaded = config.loads(text, config_id=config_id)
    ours = [one for one in loaded.diagnostics if "FV300" < one.code < "FV330"]
    assert all(one.severity is Severity.NOTE for one in ours)
    return ours


def told(text: str, *, config_id: str = "here") -> list[tuple[str, int]]:
    """Return their codes and lines."""
    return [(one.code, one.span.line) for one in found(text, config_id=config_id)]


def instance(body: str = "", *, name: str = "VI", vrid: int = 1, address: str = "10.0.0.1") -> str:
    """Return an instance with `body` from its line 2 on."""
    return (
        f"vrrp_instance {name} {{\n{body}\ninterface eth0\nvirtual_router_id {vrid}\n"
        f"virtual_ipaddress {{ {address} }}\n}}\n"
    )


def tracking(*lines: str, priority: int = 100) -> str:
    """Return an instance that tracks; its first tracked line is line 3 of the text."""
    body = "\n".join(lines)
    return instance(f"track_script {{\n{body}\n}}\npriority {priority}") + SCRIPTS


def test_nothing_is_said_of_an_ordinary_configuration() -> None:
    text = """
        global_defs { enable_script_security }
        vrrp_script check { script /bin/check
            interval 2
            timeout 1
            weight -20 }
        vrrp_instance one {
            state BACKUP
            interface eth0
            virtual_router_id 1
            priority 150
            preempt_delay 30
            garp_master_refresh 60
            garp_master_refresh_repeat 2
            authentication {
                auth_type PASS
                auth_pass secret
            }
            virtual_ipaddress { 10.0.0.1/24 }
            track_script { check }
        }
    """
    assert config.loads(text).diagnostics == ()


def test_nothing_is_said_of_what_cannot_run() -> None:
    text = tracking("a weight 10", priority=254) + "vrrp_instance x {\n}\n"
    with pytest.raises(config.ConfigError) as error:
        config.loads(text)
    assert not [one for one in error.value.diagnostics if one.code.startswith("FV3")]


# --- weights


@pytest.mark.parametrize(
    ("lines", "priority", "expected"),
    [
        (["a weight 10"], 254, [("FV301", 3)]),
        (["a weight 10"], 253, [("FV302", 3)]),
        (["a weight 10"], 244, []),
        (["a weight 10"], 245, [("FV302", 3)]),
        (["a weight -10"], 1, [("FV301", 3)]),
        (["a weight -10"], 2, []),
        (["a weight -10"], 254, []),
        (["a weight 10", "b weight -10"], 254, [("FV302", 3)]),
        (["a weight 10", "b weight -10"], 1, []),
        (["a weight 100", "b weight 100"], 54, []),
        (["a weight 100", "b weight 100"], 55, [("FV302", 4)]),
        (["a weight 10", "b weight 10"], 254, [("FV301", 3), ("FV301", 4)]),
        (["back"], 1, [("FV301", 3)]),
    ],
)
def test_weights_at_the_limits_of_the_priority(
    lines: list[str], priority: int, expected: list[tuple[str, int]]
) -> None:
    assert told(tracking(*lines, priority=priority)) == expected


def test_weights_beside_a_number_in_a_file_may_always_count() -> None:
    text = instance("track_script {\na weight 10\n}\ntrack_file {\nnumber\n}\npriority 254") + (
        SCRIPTS + "track_file number { file /run/number }\n"
    )
    assert told(text) == []


NODES = """\
vrrp_instance VI {
@here priority %d
@there priority %d
track_script {
a weight %d
}
interface eth0
virtual_router_id 1
virtual_ipaddress { 10.0.0.1 }
}
vrrp_script a { script /bin/a }
"""


@pytest.mark.parametrize(
    ("here", "there", "weight", "expected"),
    [
        (150, 100, 49, [("FV301", 5)]),
        (100, 150, -49, [("FV301", 5)]),
        (150, 100, 50, []),
        (100, 100, 1, []),
    ],
)
def test_weights_that_are_less_than_the_nodes_priorities_differ_by(
    here: int, there: int, weight: int, expected: list[tuple[str, int]]
) -> None:
    assert told(NODES % (here, there, weight)) == expected


def test_the_nearest_priority_of_other_nodes_decides() -> None:
    text = NODES.replace("@there", "@farther priority 20\n@there") % (150, 100, 60)
    assert told(text) == []


def test_priorities_of_other_nodes_are_those_of_the_same_instance() -> None:
    other = instance("@there priority 10", name="other", vrid=2, address="10.0.0.2")
    assert told(other + NODES.replace("@there priority %d", "") % (150, 20)) == []


def test_weights_of_other_trackers_count_as_well() -> None:
    text = NODES.replace("track_script {", "track_interface {\neth1 weight 10\n}\ntrack_script {")
    assert told(text % (150, 100, 39)) == [("FV301", 8)]
    assert told(text % (150, 100, 40)) == []


# --- scripts


def test_script_without_weight_is_told_once_with_all_that_it_holds() -> None:
    body = "track_script {\na\n}"
    text = (
        instance(body)
        + instance(body, name="second", vrid=2, address="10.0.0.2")
        + SCRIPTS.replace("weight -5", "weight 0")
    )
    (one,) = found(text)
    assert (one.code, one.span.line) == ("FV303", 3)
    assert one.message == (
        "a has no weight: while it fails, VI and 1 more are in FAULT, and no address is held here"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a", "while it fails, VI is in FAULT"),
        ("a weight 0", "while it fails, VI is in FAULT"),
        ("a weight 0 reverse", "while it succeeds, VI is in FAULT"),
        ("a weight 1", ""),
        ("back", ""),
    ],
)
def test_script_without_weight_is_information(line: str, expected: str) -> None:
    messages = [one.message for one in found(tracking(line))]
    assert [expected in message for message in messages] == [True] * bool(expected)


def test_script_of_a_sync_group_holds_all_members() -> None:
    text = (
        "vrrp_sync_group G {\ngroup { VI second }\ntrack_script {\na\n}\n}\n"
        + instance()
        + instance(name="second", vrid=2, address="10.0.0.2")
        + SCRIPTS
    )
    (one,) = found(text)
    assert "while it fails, G is in FAULT" in one.message


def test_more_notes_than_are_shown_are_no_more_than_notes() -> None:
    names = [f"script{number}" for number in range(1100)]
    scripts = "".join(f"vrrp_script {name} {{ script /bin/a }}\n" for name in names)
    uses = "\n".join(names)
    last = config.loads(scripts + instance(f"track_script {{\n{uses}\n}}")).diagnostics[-1]
    assert (last.code, last.severity, last.message) == (
        "FV002",
        Severity.NOTE,
        "100 more findings are not shown",
    )


@pytest.mark.parametrize(
    ("interval", "timeout", "expected"),
    [("2", "2", True), ("2", "2.001", True), ("2", "1.999", False), ("2", None, False)],
)
def test_timeout_not_below_interval(interval: str, timeout: str | None, expected: bool) -> None:
    line = f"timeout {timeout}" if timeout else ""
    text = f"vrrp_script a {{\ninterval {interval}\n{line}\nscript /bin/a\nweight 1\n}}\n"
    text += instance("track_script { a }")
    assert told(text) == [("FV307", 3)] * expected


# --- instances


@pytest.mark.parametrize(("priority", "expected"), [(255, True), (254, False)])
def test_preempt_delay_of_an_owner(priority: int, expected: bool) -> None:
    text = instance(f"preempt_delay 5\nstate BACKUP\npriority {priority}")
    assert told(text) == [("FV304", 2)] * expected


@pytest.mark.parametrize(
    ("line", "keyword", "expected"),
    [
        ("garp_master_refresh_repeat 2", "garp_master_refresh", True),
        ("garp_master_refresh_repeat 2\ngarp_master_refresh 0", "garp_master_refresh", True),
        ("garp_master_refresh_repeat 2\ngarp_master_refresh 1", "", False),
        ("garp_lower_prio_delay 2\ngarp_lower_prio_repeat 0", "garp_lower_prio_repeat", True),
        ("garp_lower_prio_delay 2\ngarp_lower_prio_repeat 1", "", False),
        ("garp_lower_prio_delay 2", "", False),
    ],
)
def test_announcements_that_are_never_sent(line: str, keyword: str, expected: bool) -> None:
    ours = found(instance(line))
    assert [(one.code, one.span.line) for one in ours] == [("FV306", 2)] * expected
    assert all(f"{keyword} is 0" in one.message for one in ours)


@pytest.mark.parametrize(
    ("common", "own", "expected"),
    [
        ("vrrp_garp_master_refresh_repeat 2", "", True),
        ("vrrp_garp_master_refresh_repeat 2", "garp_master_refresh 1", False),
        ("vrrp_garp_master_refresh_repeat 2\nvrrp_garp_master_refresh 1", "", False),
    ],
)
def test_defaults_of_announcements_that_are_never_sent(
    common: str, own: str, expected: bool
) -> None:
    assert told(f"global_defs {{\n{common}\n}}\n{instance(own)}") == [("FV306", 2)] * expected


GROUP = "mcast_dst_ip 224.0.0.50"


@pytest.mark.parametrize(
    ("first", "second", "lines"),
    [
        (GROUP, "", [2]),
        ("", GROUP, [8]),
        (GROUP, GROUP, []),
        (GROUP, "mcast_dst_ip 224.0.0.51", [2, 8]),
        (GROUP, "mcast_dst_ip 224.0.0.18", [2, 8]),
        (GROUP, "unicast_peer { 10.0.0.9 }", []),
        (GROUP, "interface eth1", []),
    ],
)
def test_multicast_groups_that_differ(first: str, second: str, lines: list[int]) -> None:
    other = instance(second, name="second", vrid=2, address="10.0.0.2")
    if second.startswith("interface"):
        other = other.replace("interface eth0\n", "\n")
    assert told(instance(first) + other) == [("FV305", line) for line in lines]


def test_group_of_all_instances_is_no_difference() -> None:
    text = "global_defs { vrrp_mcast_group4 224.0.0.50 }\n"
    text += instance(GROUP) + instance(name="second", vrid=2, address="10.0.0.2")
    assert told(text) == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("priority 100", "priority 101", True),
        ("priority 100\nnopreempt", "priority 101", True),
        ("priority 100\nnopreempt", "priority 101\nnopreempt", False),
        ("priority 100", "priority 100", False),
    ],
)
def test_members_of_a_sync_group_that_pull_apart(first: str, second: str, expected: bool) -> None:
    text = "vrrp_sync_group G {\ngroup { VI second }\n}\n" + instance(first)
    text += instance(second, name="second", vrid=2, address="10.0.0.2")
    assert told(text) == [("FV308", 1)] * expected


# --- secrets

SECRET = instance("authentication {\nauth_type PASS\nauth_pass %s\n}\nversion 2")


def secrets_told(path: Path) -> list[tuple[str, str, int]]:
    """Return the findings about secrets in a configuration: file, hint and line."""
    diagnostics = config.load(path).diagnostics
    return [
        (os.path.basename(one.span.file), one.hint or "", one.span.line)
        for one in diagnostics
        if one.code == "FV309"
    ]


def write(path: Path, text: str, mode: int) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o644, True), (0o604, True), (0o640, False), (0o600, False)]
)
def test_secrets_in_a_file_that_everybody_can_read(
    tmp_path: Path, mode: int, expected: bool
) -> None:
    path = write(tmp_path / "k.conf", SECRET % "hush", mode)
    assert secrets_told(path) == [("k.conf", f"run: chmod 600 {path}", 4)] * expected


def test_file_without_secrets_may_be_read_by_everybody(tmp_path: Path) -> None:
    assert secrets_told(write(tmp_path / "k.conf", instance(), 0o644)) == []


def test_secrets_are_told_once_for_each_file(tmp_path: Path) -> None:
    other = (SECRET % "hush").replace("VI", "second").replace("_id 1", "_id 2")
    inner = write(tmp_path / "inner.conf", other.replace("10.0.0.1", "10.0.0.2"), 0o644)
    outer = write(tmp_path / "k.conf", SECRET % "hush" + "include inner.conf\n", 0o644)
    assert {name for name, _, _ in secrets_told(outer)} == {"k.conf", "inner.conf"}
    inner.chmod(0o600)
    assert {name for name, _, _ in secrets_told(outer)} == {"k.conf"}


def test_secret_is_where_its_definition_is(tmp_path: Path) -> None:
    hidden = write(tmp_path / "hidden.conf", "$PASSWORD=hush\n", 0o600)
    outer = write(tmp_path / "k.conf", "include hidden.conf\n" + SECRET % "$PASSWORD", 0o644)
    assert secrets_told(outer) == []
    hidden.chmod(0o644)
    assert secrets_told(outer) == [("hidden.conf", f"run: chmod 600 {hidden}", 1)]


def test_text_has_no_mode() -> None:
    assert told(SECRET % "hush") == []
