"""Sync groups and groups of static entries: their members, and what a group tracks."""

import pytest

from config.tracking_text import (
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
from fastvrrp.config import Severity
from fastvrrp.config.model import (
    Command,
    Config,
    ScriptConfig,
    StateNotify,
)


def test_a_sync_group_says() -> None:
    lines = (
        'notify_master "/m a" joe\nnotify_backup /b\nnotify_fault /f\nnotify_stop /s\nnotify /n\n'
        "smtp_alert\nnotify_priority_changes off\nsync_group_tracking_weight"
    )
    (group,) = read(GROUP % lines + instance() + instance("B")).groups
    assert (group.name, group.members) == ("G", ("A", "B"))
    assert group.notify == StateNotify(
        master=Command(argv=("/m", "a"), user="joe"),
        backup=Command(argv=("/b",)),
        fault=Command(argv=("/f",)),
        stop=Command(argv=("/s",)),
        always=Command(argv=("/n",)),
    )
    assert (group.smtp_alert, group.notify_priority_changes) == (True, False)
    assert group.tracking_weight


def test_global_tracking_is_an_old_name() -> None:
    (group,) = read(GROUP % "global_tracking" + instance() + instance("B"), "FV112").groups
    assert group.tracking_weight


@pytest.mark.parametrize("keyword", ["notify", "notify_master", "notify_stop"])
def test_the_first_program_of_a_group_counts(keyword: str) -> None:
    lines = f"{keyword} /a\n{keyword} /b"
    (group,) = read(GROUP % lines + instance() + instance("B"), "FV106").groups
    assert "/a" in str(group.notify)


@pytest.mark.parametrize(
    ("members", "left", "warned"),
    [
        ("A\nB", ("A", "B"), ()),
        ('A "B"', ("A", "B"), ()),
        ("A", ("A",), ("FV223",)),
        ("X\nA\nB", ("A", "B"), ("FV212",)),
        ("A\nA\nB", ("A", "B"), ("FV222",)),
        ("A X", ("A",), ("FV212",)),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_members_of_a_sync_group(
    members: str, left: tuple[str, ...], warned: tuple[str, ...], is_first: bool
) -> None:
    group = GROUP.replace("A B", members) % ""
    others = instance() + instance("B")
    (found,) = read(group + others if is_first else others + group, *warned).groups
    assert found.members == left


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("vrrp_sync_group G {\nsmtp_alert\n}\n", ["FV224"]),
        ("vrrp_sync_group G {\ngroup {\n}\n}\n", ["FV224"]),
        ("vrrp_sync_group G {\ngroup {\nX\n}\n}\n", ["FV212"]),
        ("vrrp_sync_group {\ngroup {\nA B\n}\n}\n", ["FV103"]),
        ("vrrp_sync_group G H {\ngroup {\nA B\n}\n}\n", ["FV103"]),
    ],
)
def test_a_sync_group_is_left_out(text: str, code: list[str]) -> None:
    loaded = read(text + instance() + instance("B"), *code)
    assert loaded.groups == ()
    assert loaded.unsupported == ()


def test_an_instance_is_in_the_first_group_that_names_it() -> None:
    other = "vrrp_sync_group H {\ngroup {\nB C D\n}\n}\n"
    text = GROUP % "" + other + "".join(map(instance, "ABCD"))
    assert [one.members for one in read(text, "FV222").groups] == [("A", "B"), ("C", "D")]


def test_the_first_group_block_counts() -> None:
    (group,) = read(GROUP % block("group", "C") + "".join(map(instance, "ABC")), "FV106").groups
    assert group.members == ("A", "B")


def test_a_sync_group_is_run() -> None:
    body = block("track_script", "s") + block("track_interface", "eth7")
    loaded = read(SCRIPT % "" + GROUP % body + instance() + instance("B"))
    assert loaded.unsupported == ()


@pytest.mark.parametrize("keyword", BLOCKS)
def test_a_group_with_an_owner_has_no_weights(keyword: str) -> None:
    name = BLOCKS[keyword][1]
    group = GROUP % block(keyword, f"{name} weight 5 reverse")
    text = TRACKERS + group + instance(body=OWNER) + instance("B")
    assert uses(read(text, "FV217"), keyword, "G") == [(name, 0, True)]


def test_a_group_with_an_owner_has_no_weight_of_a_script_either() -> None:
    group = GROUP % block("track_script", "s")
    text = SCRIPT % "weight 5" + group + instance(body=OWNER) + instance("B")
    assert uses(read(text, "FV217"), "track_script", "G") == [("s", 0, False)]


@pytest.mark.parametrize(
    ("interface", "body", "warned"),
    [
        ("eth0", "", ["FV225"]),
        ("eth0", "dont_track_primary", []),
        ("eth7", block("track_interface", "eth7"), ["FV225"]),
        ("eth7", "", []),
    ],
)
def test_an_interface_is_tracked_by_the_group_or_by_the_member(
    interface: str, body: str, warned: list[str]
) -> None:
    group = GROUP % block("track_interface", interface)
    text = group + "".join(instance(name, body) for name in "AB")
    assert uses(read(text, *warned), "track_interface", "G") == [(interface, None, False)]


@pytest.mark.parametrize(
    ("members", "left", "severity", "code"),
    [
        ("A B", ("A", "B"), None, None),
        ("A\nA", ("A",), None, None),
        ("X A", ("A",), Severity.NOTE, "FV212"),
        ("", (), Severity.WARNING, "FV224"),
    ],
)
def test_members_of_a_track_group(
    members: str, left: tuple[str, ...], severity: Severity | None, code: str | None
) -> None:
    text = f"track_group T {{\n{block('group', members)}}}\n" + instance() + instance("B")
    loaded = config.loads(text)
    assert loaded.track_groups[0].members == left
    told = {(one.severity, one.code) for one in loaded.diagnostics if one.code != "FV110"}
    assert told == ({(severity, code)} if code else set())


def test_a_track_group_without_a_group_block_is_a_note() -> None:
    assert codes(read("track_group T {\n}\n"), Severity.NOTE) == ["FV224"]


def test_a_static_address_names_a_group_above() -> None:
    group = f"track_group T {{\n{block('group', 'A')}}}\n"
    static = block("static_ipaddress", "192.0.2.9/24 dev eth0 track_group T")
    assert codes(read(group + static + instance())) == []
    loaded = read(static + group + instance(), "FV221")
    assert loaded.static_addresses[0].track_group == "T"


def test_what_was_built_in_python_is_checked_by_the_same_rules() -> None:
    command = Command(argv=("/usr/bin/true",))
    (one,) = read(instance()).instances
    made = Config(
        scripts=(ScriptConfig(name="s", command=command, weight=5),),
        instances=(one,),
    )
    assert read(made.to_text()) == made
