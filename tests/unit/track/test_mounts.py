"""`waits_on`: paths that lead to a file system which can keep waiting, however they lead there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fastvrrp.track.mounts import waits_on

Mount = Callable[..., None]


@pytest.fixture
def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mount:
    """Let a file say what is mounted, `/` first; a kind of each place."""

    def write(mounted: list[tuple[Path, str]], root: str = "ext4") -> None:
        table = tmp_path / "mountinfo"
        lines = [f"1 1 8:1 / / rw,relatime - {root} /dev/vda rw"]
        for number, (place, kind) in enumerate(mounted, start=2):
            escaped = str(place).replace(" ", r"\040")
            lines.append(f"{number} 1 0:{number} / {escaped} rw shared:1 - {kind} some:/where rw")
        table.write_text("\n".join(lines) + "\n")
        monkeypatch.setattr("fastvrrp.track.mounts._MOUNTS", str(table))

    return write


@pytest.mark.parametrize(
    ("kind", "waits"),
    [
        ("nfs", True),
        ("nfs4", True),
        ("cifs", True),
        ("smb3", True),
        ("fuse", True),
        ("fuse.sshfs", True),
        ("fuseblk", True),
        ("autofs", True),
        ("ext4", False),
        ("tmpfs", False),
        ("overlay", False),
        ("nfsd", False),  # files of the kernel
        ("fusectl", False),
    ],
)
def test_what_is_served_by_others_can_keep_waiting(
    mount: Mount, tmp_path: Path, kind: str, waits: bool
) -> None:
    share = tmp_path / "a share"
    mount([(share, kind)])
    expected = kind if waits else None
    assert waits_on(f"{share}/deep/number") == expected
    assert waits_on(str(share)) == expected
    assert waits_on(f"{tmp_path}/x/../a share/number") == expected
    assert waits_on(f"{share}2/number") is None
    assert waits_on(f"{tmp_path}/number") is None


def test_links_lead_there(mount: Mount, tmp_path: Path) -> None:
    share = tmp_path / "share"
    mount([(share, "nfs4")])
    (tmp_path / "here").mkdir()
    (tmp_path / "absolute").symlink_to(share)
    (tmp_path / "here" / "relative").symlink_to("../absolute/number")
    (tmp_path / "here" / "own").symlink_to("number")
    assert waits_on(str(tmp_path / "absolute" / "number")) == "nfs4"
    assert waits_on(str(tmp_path / "here" / "relative")) == "nfs4"
    assert waits_on(str(tmp_path / "here" / "own")) is None


def test_nothing_is_looked_at_behind_it(
    mount: Mount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "share"
    mount([(share, "nfs4")])
    asked: list[str] = []

    def readlink(path: str) -> str:
        asked.append(path)
        raise OSError

    monkeypatch.setattr("fastvrrp.track.mounts.os.readlink", readlink)
    assert waits_on(str(share / "number")) == "nfs4"
    assert str(tmp_path) in asked
    assert not [path for path in asked if path.startswith(str(share))]


def test_what_was_mounted_last_lies_on_top(mount: Mount, tmp_path: Path) -> None:
    share = tmp_path / "share"
    mount([(share, "autofs"), (share, "ext4")])
    assert waits_on(str(share / "number")) is None
    mount([(share, "ext4"), (share, "nfs4")])
    assert waits_on(str(share / "number")) == "nfs4"


def test_what_all_lies_on_does_not_count(mount: Mount, tmp_path: Path) -> None:
    mount([], root="nfs")
    assert waits_on(str(tmp_path / "number")) is None


def test_links_in_a_ring_have_an_end(mount: Mount, tmp_path: Path) -> None:
    mount([])
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert waits_on(str(tmp_path / "a")) is None


def test_nobody_knows_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastvrrp.track.mounts._MOUNTS", str(tmp_path / "absent"))
    assert waits_on("/mnt/share/number") is None
