"""What the host lacks for a configuration: interfaces, accounts, programs, files of keys."""

import os
from collections.abc import Callable
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest

from fastvrrp import config, preflight
from fastvrrp.config.diagnostics import Diagnostic, Severity
from fastvrrp.config.source import Report
from fastvrrp.errors import KernelError

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="PROGRAMS OF ROOT ARE NOT TESTED: owners can only be set up by root"
)

NOTE, WARNING, ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR
SAFE = "global_defs {\nenable_script_security\nscript_user root\n}\n"
INSTANCE = """\
vrrp_instance VI {
    interface eth0
    virtual_router_id 1
    virtual_ipaddress {
        10.0.0.100
    }
%s
}
"""

Find = Callable[..., list[Diagnostic]]
Inspect = Callable[[config.Config, Report], None]


@pytest.fixture(autouse=True)
def interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the host have lo, eth0 and enp0s31f6."""
    names = [(1, "lo"), (2, "eth0"), (3, "enp0s31f6")]
    monkeypatch.setattr("socket.if_nameindex", lambda: names)


@pytest.fixture
def find(tmp_path: Path) -> Find:
    """Return what tells the findings about the host for a text, in its order."""

    def found(text: str, inspect: Inspect = preflight.inspect) -> list[Diagnostic]:
        path = tmp_path / "keepalived.conf"
        path.write_text(text)
        path.chmod(0o600)
        without = {str(one) for one in config.examine(path)[1]}
        return [one for one in config.examine(path, inspect)[1] if str(one) not in without]

    return found


def only(found: list[Diagnostic]) -> Diagnostic:
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def script(program: str | Path, more: str = "") -> str:
    return f"vrrp_script check {{\nscript {program}\nweight 1\n{more}\n}}\n" + (
        INSTANCE % "track_script { check }"
    )


def notify(program: str) -> str:
    return INSTANCE % f"notify_master {program}"


def test_host_that_has_everything(find: Find) -> None:
    assert find(SAFE + notify("/usr/bin/true") + script("/usr/bin/true").split("vrrp_i")[0]) == []


# --- interfaces


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("eth1", "did you mean eth0?"),
        ("enp0s31f5", "did you mean enp0s31f6?"),
        ("eth0;", "write eth0: a line ends without a mark"),
        ("lo0", "this machine has: enp0s31f6, eth0"),
    ],
)
def test_absent_interface_is_told_with_what_there_is(find: Find, name: str, hint: str) -> None:
    found = find((INSTANCE % "").replace("eth0", name))
    one = only([one for one in found if one.code != "FV330"])
    assert (one.code, one.severity, one.span.line, one.span.column) == ("FV501", ERROR, 2, 15)
    assert one.message == f"there is no interface {name} here, and nothing starts without it"
    assert one.hint == hint


def test_absent_interface_may_come_later(find: Find) -> None:
    text = "global_defs { dynamic_interfaces }\n" + INSTANCE.replace("eth0", "ppp0") % ""
    (one,) = (one for one in find(text) if one.code == "FV501")
    assert one.severity is Severity.NOTE
    assert one.message == "there is no interface ppp0 here yet: it is waited for"


@pytest.mark.parametrize(
    "block", ["linkbeat_interfaces { eth1 }", "interface_up_down_delays { eth1 1 }"]
)
def test_absent_interface_of_link_settings_has_a_code_of_its_own(find: Find, block: str) -> None:
    one = only(find(block + "\n" + INSTANCE % ""))
    assert (one.code, one.severity) == ("FV502", WARNING)


# --- accounts


@pytest.mark.parametrize(
    ("text", "severity", "message"),
    [
        (SAFE + script("/usr/bin/true", "user nosuch"), WARNING, 'user "nosuch" does not exist'),
        (
            SAFE + script("/usr/bin/true", "user root nosuch"),
            WARNING,
            'group "nosuch" does not exist',
        ),
        (SAFE.replace("root", "nosuch"), WARNING, "scripts that name no user of their own"),
        (SAFE + notify("/usr/bin/true nosuch"), NOTE, 'user "nosuch" does not exist'),
    ],
)
def test_absent_account_is_told(find: Find, text: str, severity: Severity, message: str) -> None:
    one = only(find(text))
    assert (one.code, one.severity) == ("FV503", severity)
    assert message in one.message
    assert "not run" in one.message
    assert "nosuch" in str(one)


# --- programs


def test_absent_script_is_told_with_its_path(find: Find, tmp_path: Path) -> None:
    path = tmp_path / "absent"
    one = only(find(SAFE + script(path)))
    assert (one.code, one.severity, one.span.line) == ("FV504", WARNING, 6)
    assert one.message == (
        f"{path} cannot be run: {path}: No such file or directory; it is not run"
    )


def test_absent_directory_of_a_script_is_named(find: Find, tmp_path: Path) -> None:
    one = only(find(SAFE + script(tmp_path / "nowhere/check")))
    assert f": {tmp_path}/nowhere: No such file" in one.message


def test_absent_notify_script_is_a_note_once(find: Find) -> None:
    text = SAFE + notify("/absent master\nnotify_backup /absent\nnotify_fault /absent")
    text = text.replace("/absent master", '"/absent master"')
    one = only(find(text))
    assert (one.code, one.severity, one.span.line) == ("FV504", NOTE, 11)


def test_script_that_is_not_executable_is_told_with_the_command(find: Find, tmp_path: Path) -> None:
    path = tmp_path / "check"
    path.touch(0o644)
    one = only(find(SAFE + script(path)))
    assert (one.code, one.severity) == ("FV504", WARNING)
    assert one.message == f"{path} is not executable; it is not run"
    assert one.hint == f"chmod a+x {path}"


@pytest.mark.parametrize(("program", "word"), [("/etc", "is not a file"), ("a/b", "relative path")])
def test_what_is_no_program_is_told(find: Find, program: str, word: str) -> None:
    one = only(find(SAFE + script(program)))
    assert (one.code, one.severity) == ("FV504", WARNING)
    assert word in one.message


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory that others may write to, with a program."""
    directory = tmp_path / "tools"
    directory.mkdir()
    directory.chmod(0o777)
    program = directory / "check"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return directory


@needs_root
def test_directory_that_others_may_write_to_is_named_with_its_mode_and_the_remedy(
    find: Find, directory: Path
) -> None:
    one = only(find(SAFE + script(directory / "check")))
    assert (one.code, one.severity, one.span.line) == ("FV505", WARNING, 6)
    assert one.message == (
        f"{directory} (owner root, mode 0777) is writable by others, but root would run it;"
        " it is not run"
    )
    assert one.hint == f"chmod go-w {directory}"
    assert "script " in (one.source or "")


@needs_root
def test_program_of_somebody_else_is_named_with_its_owner_and_the_remedy(
    find: Find, directory: Path
) -> None:
    directory.chmod(0o755)
    os.chown(directory / "check", 65534, 65534)
    one = only(find(SAFE + script(directory / "check")))
    assert one.code == "FV505"
    assert one.message.startswith(f"{directory}/check (owner nobody, mode 0755) does not belong")
    assert one.hint == f"chown root {directory}/check"


@needs_root
def test_without_script_security_it_is_a_note_and_runs(find: Find, directory: Path) -> None:
    text = SAFE.replace("enable_script_security\n", "") + script(directory / "check")
    by_code = {one.code: one for one in find(text)}
    assert by_code.keys() == {"FV505", "FV506"}
    assert by_code["FV505"].severity is NOTE
    assert "not run" not in by_code["FV505"].message


@needs_root
def test_directory_that_an_account_may_not_search_is_named(find: Find, directory: Path) -> None:
    directory.chmod(0o700)
    found = find(SAFE + script(directory / "check", "user nobody"))
    assert {one.code for one in found} == {"FV504"}
    assert "may not be searched by user nobody" in found[0].message


def test_program_without_path_runs_as_root(find: Find) -> None:
    one = only(find(SAFE + script("true")))
    assert (one.code, one.severity) == ("FV504", NOTE)
    assert one.message.startswith("true has no path, /")


def test_program_without_path_of_another_account_is_what_keepalived_leaves_out(find: Find) -> None:
    note, warning = find(SAFE + script("true", "user nobody"))
    assert (note.code, note.severity) == ("FV504", NOTE)
    assert (warning.code, warning.severity) == ("FV508", WARNING)
    assert warning.hint == "write /usr/bin/true"


def test_unknown_program_without_path_is_told(find: Find) -> None:
    one = only(find(SAFE + script("nosuchprogram")))
    assert (one.code, one.severity) == ("FV504", WARNING)
    assert "there is no program nosuchprogram in /" in one.message


# --- script security


@pytest.mark.parametrize("text", [script("/usr/bin/true"), notify("/usr/bin/true")])
def test_programs_that_run_unchecked_are_told_once_at_the_first(find: Find, text: str) -> None:
    more = text + text.replace("VI", "second").replace("_id 1", "_id 2").replace(".100", ".101")
    found = find(more.replace("vrrp_script check", "vrrp_script other", 1))
    one = only([one for one in found if one.code == "FV506"])
    assert one.severity is WARNING
    assert one.message.startswith("SECURITY VIOLATION")
    assert one.span.line in {2, 7}


def test_nothing_is_unchecked_where_nothing_runs(find: Find) -> None:
    assert {one.code for one in find(script("/absent"))} == {"FV504"}


def test_unchecked_in_a_network_namespace_is_a_note(find: Find) -> None:
    one = only(find("net_namespace red\n" + script("/usr/bin/true")))
    assert (one.code, one.severity) == ("FV506", NOTE)


# --- files


@pytest.mark.parametrize(("place", "told"), [("here/number", True), ("number", False)])
def test_directory_of_a_tracked_file_is_told(
    find: Find, tmp_path: Path, place: str, told: bool
) -> None:
    text = f"track_file number {{\nfile {tmp_path}/{place}\n}}\n" + INSTANCE % ""
    assert [(one.code, one.severity, one.hint) for one in find(text)] == [
        ("FV507", NOTE, f"run: mkdir -p {tmp_path}/here")
    ] * told


def test_missing_directory_says_what_the_file_counts_as(find: Find, tmp_path: Path) -> None:
    one = only(find(f"track_file n {{\nfile {tmp_path}/here/number\n}}\n" + INSTANCE % ""))
    assert one.message == f"there is no directory {tmp_path}/here: n counts as 0 until there is"


def test_relative_path_of_a_tracked_file_is_told(find: Find) -> None:
    one = only(find("track_file number {\nfile run/number\n}\n" + INSTANCE % ""))
    assert (one.code, one.severity) == ("FV507", NOTE)
    assert one.message == (
        "the path of a track_file begins with /: run/number is read as /run/number"
    )


def test_tracked_file_that_can_keep_waiting_is_told(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {"/mnt/number": "nfs4"}
    monkeypatch.setattr("fastvrrp.preflight.waits_on", kinds.get)
    one = only(find("track_file number {\nfile /mnt/number\n}\n" + INSTANCE % ""))
    assert (one.code, one.severity) == ("FV507", NOTE)
    assert one.message == (
        "number is not tracked: /mnt/number is on nfs4, which can keep everything waiting"
    )


def hmac(path: Path) -> str:
    return INSTANCE % f"auth_hmac {{\nkey 1 file:{path}\nactive_key 1\n}}"


@pytest.mark.parametrize(("mode", "told"), [(0o600, False), (0o640, True), (0o604, True)])
def test_key_that_others_can_read_is_told(
    find: Find, tmp_path: Path, mode: int, told: bool
) -> None:
    path = tmp_path / "key"
    path.write_text("k" * 32)
    path.chmod(mode)
    found = find(hmac(path))
    assert [(one.code, one.severity, one.hint) for one in found] == [
        ("FV510", WARNING, f"run: chmod 600 {path}")
    ] * told


def test_key_that_cannot_be_read_is_told(find: Find, tmp_path: Path) -> None:
    one = only(find(hmac(tmp_path / "absent")))
    assert (one.code, one.severity) == ("FV511", WARNING)
    assert "absent: No such file or directory" in one.message


@pytest.mark.parametrize("text", ["short", "hex:0g", "k" * 140])
def test_key_that_is_none_is_told(find: Find, tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    assert only(find(hmac(path))).code == "FV511"


def test_key_behind_a_link_is_told(find: Find, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("k" * 32)
    path.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert "a symbolic link is not followed" in (only(find(hmac(link))).hint or "")


# --- what is probably not meant on this host


class Address(dict[str, Any]):
    """An address as netlink tells it."""

    def __init__(self, index: int, text: str, peer: str | None = None) -> None:
        interface = ip_interface(text)
        super().__init__(index=index, prefixlen=interface.network.prefixlen)
        self._own = str(interface.ip)
        self._far = peer or self._own

    def get_attr(self, name: str) -> str | None:
        return {"IFA_ADDRESS": self._far, "IFA_LOCAL": self._own}[name]


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[Address]:
    """What addresses the host has."""
    addresses = [
        Address(1, "127.0.0.1/8"),
        Address(2, "10.0.0.11/24"),
        Address(2, "fe80::11/64"),
        Address(3, "192.0.2.1/32"),
    ]
    monkeypatch.setattr("fastvrrp.host.netlink.dump_addresses", lambda: addresses)
    return addresses


def advised(find: Find, text: str) -> list[tuple[str, str]]:
    """Return the codes and messages of notes on the host's addresses."""
    return [(one.code, one.message) for one in find(text, preflight.advise)]


@pytest.mark.parametrize(
    ("vips", "outside"),
    [
        (["10.0.0.100"], []),
        (["10.0.0.255", "10.0.0.0"], []),
        (["10.0.1.0"], ["10.0.1.0"]),
        (["9.255.255.255/24"], ["9.255.255.255"]),
        (["10.9.0.1/24", "10.9.0.2/24"], []),
        (["10.9.0.1/24", "10.9.0.2"], ["10.9.0.1"]),
        (["10.9.0.1 dev lo"], []),
        (["10.9.0.1 dev enp0s31f6"], []),
        (["fe80::100"], []),
        (["fe80::100", "2001:db8::1"], []),
    ],
)
@pytest.mark.usefixtures("addresses")
def test_virtual_address_outside_of_all_subnets(
    find: Find, vips: list[str], outside: list[str]
) -> None:
    text = (INSTANCE % "").replace("10.0.0.100", "\n".join(vips))
    assert advised(find, text) == [
        ("FV509", f"{vip} is in no subnet of eth0, which has 10.0.0.0/24") for vip in outside
    ]


def test_subnet_may_come_from_a_static_address(find: Find, addresses: list[Address]) -> None:
    text = (INSTANCE % "").replace("10.0.0.100", "10.9.0.1")
    assert [code for code, _ in advised(find, text)] == ["FV509"]
    assert advised(find, "static_ipaddress { 10.9.0.2/24 dev eth0 }\n" + text) == []
    addresses.append(Address(2, "10.1.0.1/32", peer="10.9.0.9"))
    assert [code for code, _ in advised(find, text)] == ["FV509"]


def test_virtual_address_that_is_held_makes_no_subnet(find: Find, addresses: list[Address]) -> None:
    addresses.append(Address(2, "10.9.0.1/24"))
    text = (INSTANCE % "").replace("10.0.0.100", "10.9.0.1/24")
    assert [code for code, _ in advised(find, text)] == ["FV509"]


@pytest.mark.usefixtures("addresses")
def test_peer_that_is_an_address_of_this_host(find: Find) -> None:
    peers = "unicast_peer {\n10.0.0.12\n10.0.0.11\n192.0.2.1\n}"
    assert advised(find, INSTANCE % peers) == [
        ("FV331", "10.0.0.11 is this router itself: eth0 has it"),
        ("FV331", "192.0.2.1 is this router itself: enp0s31f6 has it"),
    ]


@pytest.mark.usefixtures("addresses")
def test_peer_that_is_the_source_is_told_once(find: Find) -> None:
    peers = "unicast_src_ip 10.0.0.11\nunicast_peer {\n10.0.0.12\n10.0.0.11\n}"
    assert advised(find, INSTANCE % peers) == []


def test_where_the_kernel_may_not_be_asked_the_rest_is_told(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> list[Address]:
        raise KernelError("list", "interfaces", 1)

    monkeypatch.setattr("fastvrrp.host.netlink.dump_addresses", refuse)
    assert [code for code, _ in advised(find, (INSTANCE % "").replace("eth0", "eth9"))] == ["FV501"]


def test_configuration_test_does_not_ask_for_addresses(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only notes come of them, which `-t` does not print: it need not load the netlink library."""
    monkeypatch.setattr("fastvrrp.host.netlink.dump_addresses", None)
    assert find(INSTANCE % "") == []
