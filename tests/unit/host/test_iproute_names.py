"""Names of tables and the like from files of the host, which may be anything."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fastvrrp.config.model import GlobalConfig
from fastvrrp.host.holding import HoldingError
from fastvrrp.host.iproute import Names, names_of


@pytest.mark.parametrize(
    ("file", "ask"),
    [
        ("rt_tables", Names.table),
        ("rt_protos", Names.protocol),
        ("rt_scopes", Names.scope),
        ("rt_realms", Names.realm),
        ("rt_dsfield", Names.tos),
        ("group", Names.group),
    ],
)
def test_each_kind_of_name_has_a_file(
    tmp_path: Path, file: str, ask: Callable[[Names, int | str], int]
) -> None:
    (tmp_path / file).write_text("#\n# comment\n100 blue # why\n0x20\tred\n")
    names = Names((tmp_path,))
    assert (ask(names, "blue"), ask(names, "red"), ask(names, 7)) == (100, 32, 7)
    with pytest.raises(HoldingError, match=f"green; define it in {tmp_path / file}"):
        ask(names, "green")


def test_files_of_the_host_count_more_than_those_of_the_distribution(tmp_path: Path) -> None:
    usr, etc = tmp_path / "usr", tmp_path / "etc"
    for directory in (usr, etc):
        (directory / "rt_tables.d").mkdir(parents=True)
    (usr / "rt_tables").write_text("1 blue\n2 red\n")
    (etc / "rt_tables").write_text("3 blue\n")
    (etc / "rt_tables.d/mine.conf").write_text("4 green\n")
    (etc / "rt_tables.d/ignored").write_text("5 grey\n")
    names = Names((usr, etc))
    assert [names.table(one) for one in ("blue", "red", "green")] == [3, 2, 4]
    with pytest.raises(HoldingError):
        names.table("grey")


def test_the_configuration_names_the_directories(tmp_path: Path) -> None:
    usr, etc = tmp_path / "usr", tmp_path / "etc"
    for directory, entries in ((usr, "1 blue\n2 red\n"), (etc, "3 blue\n")):
        directory.mkdir()
        (directory / "rt_tables").write_text(entries)
    names = names_of(GlobalConfig(iproute_usr_dir=str(usr), iproute_etc_dir=str(etc)))
    assert [names.table(one) for one in ("blue", "red")] == [3, 2]
    with pytest.raises(HoldingError, match=f"define it in {etc}"):
        names.table("main")  # the other directories of this host do not count


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\0blue",
        b"blue\n",
        b"blue 100\n",
        b"4294967296 blue\n-1 blue\n",
        b"1e3 blue\n",
        b"100 blue 7\n",
        b"# 100 blue\n",
        b"9" * 5000 + b" blue\n",
    ],
)
def test_nonsense_names_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rt_tables").write_bytes(content)
    with pytest.raises(HoldingError):
        Names((tmp_path,)).table("blue")


def test_a_number_that_does_not_fit_is_no_name(tmp_path: Path) -> None:
    (tmp_path / "rt_realms").write_text("256 blue\n")
    with pytest.raises(HoldingError):
        Names((tmp_path,)).realm("blue")


def test_what_is_no_file_names_nothing_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rt_tables")
    (tmp_path / "rt_realms").mkdir()
    (tmp_path / "group").symlink_to("/dev/zero")
    names = Names((tmp_path, tmp_path / "absent"))
    for ask in (names.table, names.realm, names.group, names.scope):
        with pytest.raises(HoldingError):
            ask("blue")


def test_only_the_beginning_of_an_endless_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "rt_tables").write_text("7 blue\n" + "#" * (2 << 20) + "\n8 red\n")
    names = Names((tmp_path,))
    assert names.table("blue") == 7
    with pytest.raises(HoldingError):
        names.table("red")


def test_files_are_read_once_and_only_when_a_name_needs_them(tmp_path: Path) -> None:
    names = Names((tmp_path,))
    (tmp_path / "rt_tables").write_text("7 blue\n")
    assert names.table("blue") == 7
    (tmp_path / "rt_tables").write_text("8 blue\n")
    assert names.table("blue") == 7


def test_protocols_over_ip_are_those_of_the_system() -> None:
    names = Names(())
    assert names.ip_protocol(132) == 132
    with pytest.raises(HoldingError, match="no IP protocol no-such"):
        names.ip_protocol("no-such")
