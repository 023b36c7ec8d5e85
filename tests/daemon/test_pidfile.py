import os
import stat
from pathlib import Path

import pytest

from fastvrrp.pidfile import PidFile, PidFileError, PidFileLocked


def test_holds_pid_and_newline_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "a.pid"
    old = os.umask(0o177)
    try:
        pid_file = PidFile(str(path))
    finally:
        os.umask(old)
    pid_file.write(12345)
    pid_file.write(42)
    assert path.read_text() == "42\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    pid_file.remove()
    assert not path.exists()


def test_lock_of_a_live_holder_is_respected(tmp_path: Path) -> None:
    path = tmp_path / "a.pid"
    first = PidFile(str(path))
    first.write(1)
    with pytest.raises(PidFileLocked, match="daemon is already running"):
        PidFile(str(path))
    assert path.read_text() == "1\n"
    first.close()
    PidFile(str(path)).remove()


def test_stale_file_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "a.pid"
    path.write_text("99999999 left by a crash\n")
    pid_file = PidFile(str(path))
    pid_file.write(7)
    assert path.read_text() == "7\n"
    pid_file.remove()


def test_symbolic_link_is_refused_and_its_target_untouched(tmp_path: Path) -> None:
    target = tmp_path / "shadow"
    target.write_text("precious")
    (tmp_path / "a.pid").symlink_to(target)
    with pytest.raises(PidFileError, match="symbolic link"):
        PidFile(str(tmp_path / "a.pid"))
    assert target.read_text() == "precious"


def test_hard_link_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "shadow"
    target.write_text("precious")
    (tmp_path / "a.pid").hardlink_to(target)
    with pytest.raises(PidFileError, match="hard links"):
        PidFile(str(tmp_path / "a.pid"))
    assert target.read_text() == "precious"


def test_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.pid")
    with pytest.raises(PidFileError, match="regular file"):
        PidFile(str(tmp_path / "a.pid"))


def test_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pid"
    path.write_text("1\n")
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(PidFileError, match="belongs to uid"):
        PidFile(str(path))


def test_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(PidFileError, match="create the directory"):
        PidFile(str(tmp_path / "none" / "a.pid"))


def test_removal_spares_a_file_that_replaced_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.pid"
    pid_file = PidFile(str(path))
    path.unlink()
    path.write_text("somebody else's\n")
    pid_file.remove()
    assert path.read_text() == "somebody else's\n"
