import contextlib
import gc
import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastvrrp
from fastvrrp.daemon.control import memory_file
from fastvrrp.daemon.log import Log
from fastvrrp.daemon.options import Options
from fastvrrp.daemon.reader import load, read
from fastvrrp.errors import ConfigError

PROGRAM = Path(__file__).with_name("whole.py")
PATIENCE_S = 20

LINE = r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: "


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "keepalived.conf"
    path.write_text("fine\n")
    return path


def command(config: Path, *args: str) -> list[str]:
    """A command line with all files in the configuration's directory, and without syslog."""
    files = [f"-f{config}", f"-p{config.parent / 'd.pid'}", f"-r{config.parent / 'v.pid'}"]
    return [sys.executable, str(PROGRAM), "-G", *files, *args]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": ":".join(sys.path), "NOTIFY_SOCKET": ""}


def run(config: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(config, *args),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env=environment(),
    )


def pid_of(path: Path) -> int:
    return int(path.read_text())


@pytest.fixture
def daemon(config: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    """The finished command that left a daemon in the background."""
    yield run(config)
    parent = config.parent / "d.pid"
    if parent.exists():
        os.kill(pid_of(parent), signal.SIGKILL)


def test_command_returns_when_the_daemon_runs_and_pid_files_name_live_processes(
    daemon: subprocess.CompletedProcess[str], config: Path
) -> None:
    assert (daemon.returncode, daemon.stdout, daemon.stderr) == (0, "", "")
    for name in ("d.pid", "v.pid"):
        process = Path(f"/proc/{pid_of(config.parent / name)}")
        # Neutron looks for the router's name in the command line of both.
        assert str(config) in (process / "cmdline").read_text()
        assert (process / "comm").read_text() == "fastvrrpd\n"
        assert all((process / f"fd/{fd}").resolve() == Path(os.devnull) for fd in range(3))


def test_daemon_in_the_background_stops_on_term(
    daemon: subprocess.CompletedProcess[str], config: Path
) -> None:
    assert daemon.returncode == 0
    parent = pid_of(config.parent / "d.pid")
    pidfds = [os.pidfd_open(parent), os.pidfd_open(pid_of(config.parent / "v.pid"))]
    os.kill(parent, signal.SIGTERM)
    for pidfd in pidfds:
        assert select.select([pidfd], [], [], PATIENCE_S)[0]
        os.close(pidfd)
    assert list(config.parent.glob("*.pid")) == []


def test_closed_standard_descriptors_are_not_taken_by_pid_files(config: Path) -> None:
    """Given a caller without stdin, when the daemon goes to the background, then what it makes of
    its standard descriptors does not hit its own files."""
    shell = ["sh", "-c", 'exec "$@" 0<&-', "sh", *command(config)]
    subprocess.run(shell, check=True, timeout=PATIENCE_S, env=environment())
    parent = pid_of(config.parent / "d.pid")
    pidfd = os.pidfd_open(parent)
    os.kill(parent, signal.SIGTERM)
    assert select.select([pidfd], [], [], PATIENCE_S)[0]
    os.close(pidfd)


def test_second_daemon_is_refused(daemon: subprocess.CompletedProcess[str], config: Path) -> None:
    assert daemon.returncode == 0
    second = run(config)
    assert second.returncode == 1
    assert "daemon is already running" in second.stderr


@pytest.mark.parametrize("mode", [[], ["-n"]], ids=["background", "foreground"])
def test_configuration_error_reaches_the_terminal_and_the_exit_status(
    config: Path, mode: list[str]
) -> None:
    config.write_text("wrong\n")
    result = run(config, *mode)
    assert result.returncode == 2
    assert "error[FV104]: priority 300 is outside 1-255" in result.stderr
    assert list(config.parent.glob("*.pid")) == []


def test_missing_configuration_is_exit_status_6(tmp_path: Path) -> None:
    result = run(tmp_path / "none.conf")
    assert result.returncode == 6
    assert "No such file" in result.stderr


def test_foreground_logs_in_keepalived_words_and_stops_cleanly(config: Path) -> None:
    config.write_text("FV211\n")
    process = subprocess.Popen(
        command(config, "-nlD"), stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stderr is not None
    lines = []
    with process, process.stderr as log:
        for line in log:
            lines.append(line)
            if "Startup complete" in line:
                process.send_signal(signal.SIGINT)
    text = "".join(lines)
    assert process.returncode == 0
    assert all(re.match(LINE, line) for line in lines)
    for expected in (
        r"Starting Keepalived v2\.4\.3 \(\d\d/\d\d,\d{4}\)$",
        r"Starting VRRP child process, pid=\d+$",
        r".*keepalived\.conf: warning\[FV211\]: a warning$",
        r"\(VI_1\) Entering BACKUP STATE \(init\)$",
        r"parser loaded: False, umask 077$",
        r"detail$",
        r"Stopping$",
        r"\(VI_1\) sent 0 priority$",
        r"Stopped - used \(self/children\) [\d.]+/[\d.]+ user time, .* system time$",
        r"Stopped Keepalived v2\.4\.3 ",
    ):
        assert re.search(LINE + expected, text, re.MULTILINE), expected
    assert "hush" not in text


def test_unread_console_pipe_does_not_hold_up_the_stop(config: Path) -> None:
    """Given a full pipe as stderr that nobody reads, the daemon starts and stops all the same."""
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write_fd, b"x" * 4096)
    os.set_blocking(write_fd, True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(config.parent / "notify"))
        manager.settimeout(PATIENCE_S)
        env = environment() | {"NOTIFY_SOCKET": str(config.parent / "notify")}
        with subprocess.Popen(command(config, "-nl"), stderr=write_fd, env=env) as process:
            assert manager.recv(200).startswith(b"READY=1\n")
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
    os.close(read_fd)
    os.close(write_fd)


def test_version_goes_to_stderr_in_the_form_that_tools_parse(config: Path) -> None:
    result = run(config, "-v")
    assert (result.returncode, result.stdout) == (0, "")
    first, *rest = result.stderr.splitlines()
    assert re.fullmatch(r"Keepalived v2\.4\.3 \(\d\d/\d\d,\d{4}\)", first)
    assert first.split()[1].lstrip("v") == "2.4.3"
    assert any(line.startswith(f"fastvrrp {fastvrrp.__version__},") for line in rest)


def test_help_goes_to_stderr(config: Path) -> None:
    result = run(config, "--help")
    assert (result.returncode, result.stdout) == (0, "")
    assert "--use-file=FILE" in result.stderr


@pytest.mark.parametrize(
    ("name", "number"),
    [("STOP", 15), ("RELOAD", 1), ("DATA", 10), ("STATS", 12), ("STATS_CLEAR", 63), ("JSON", 36)],
)
def test_signum_prints_the_number(config: Path, name: str, number: int) -> None:
    assert run(config, "--signum", name).stdout == f"{number}\n"


@pytest.mark.parametrize("args", [["--signum=NO"], ["-Z"], ["--namespace=x"]])
def test_bad_option_is_exit_status_1(config: Path, args: list[str]) -> None:
    result = run(config, *args)
    assert result.returncode == 1
    assert "--help" in result.stderr


@pytest.mark.parametrize(
    ("text", "status", "report"),
    [
        ("fine", 0, ""),
        ("FV211", 5, "warning[FV211]: a warning\n"),
        ("FV213", 0, ""),
        ("FV111", 0, "unsupported[FV111]: not yet\nfastvrrpd does not start with this file"),
        ("wrong", 5, "priority 300"),
        ("scripted", 6, "warning[FV506]: SECURITY VIOLATION"),
        ("scripted FV211", 6, "warning[FV211]: a warning\n"),
    ],
)
def test_config_test_has_keepalived_exit_statuses(
    config: Path, text: str, status: int, report: str
) -> None:
    config.write_text(text)
    result = run(config, "-t")
    assert result.returncode == status
    assert report in result.stderr
    assert bool(result.stderr) == bool(report)


def test_configuration_is_read_with_the_options_of_the_command_line(config: Path) -> None:
    """Given a node's name and that includes must not fail, the reader of the daemon is told."""
    config.write_text("FV213\n")
    process = subprocess.Popen(
        command(config, "-nlD", "-inode7", "-e"),
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    told = []
    with process, process.stderr as log:
        for line in log:
            told += re.findall(r"a note of .*", line)
            if "Startup complete" in line:
                process.terminate()
    assert told == ["a note of node7 True"]


def test_config_test_of_a_missing_file_says_so_and_succeeds(tmp_path: Path) -> None:
    result = run(tmp_path / "none.conf", "-t")
    assert result.returncode == 0
    assert result.stderr == f"Config files missing '{tmp_path / 'none.conf'}'.\n"


def test_config_test_appends_to_a_report_file(config: Path, tmp_path: Path) -> None:
    config.write_text("FV211")
    report = tmp_path / "report"
    report.write_text("before\n")
    assert run(config, f"-t{report}").stderr == ""
    assert report.read_text() == f"before\n{config}: warning[FV211]: a warning\n"
    assert stat.S_IMODE(report.stat().st_mode) == 0o644


def test_config_test_does_not_follow_a_link_to_write_its_report(
    config: Path, tmp_path: Path
) -> None:
    config.write_text("FV211")
    (tmp_path / "report").symlink_to(config)
    result = run(config, f"--config-test={tmp_path / 'report'}")
    assert result.returncode == 1
    assert config.read_text() == "FV211"


def test_parent_does_not_load_what_it_does_not_need() -> None:
    """Every name costs memory for the life of the daemon, once per router on a network node."""
    script = (
        "import sys, fastvrrp; before = set(sys.modules);"
        "import fastvrrp.daemon.cli, fastvrrp.daemon.service;"
        "print(*(set(sys.modules) - before))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    loaded = set(result.stdout.split())
    heavy = {"typing", "dataclasses", "logging", "re", "argparse", "asyncio", "pyroute2", "lark"}
    heavy |= {"ctypes", "subprocess", "threading", "fastvrrp.engine", "fastvrrp.config"}
    assert loaded & heavy == set()


class Foreground:
    """A daemon in the foreground, and its log so far."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.process = subprocess.Popen(
            command(config, "-nl"), stderr=subprocess.PIPE, text=True, env=environment()
        )
        self.expect("Startup complete")

    def expect(self, pattern: str) -> str:
        """Return the lines up to one that matches."""
        assert self.process.stderr is not None
        lines = ""
        for line in self.process.stderr:
            lines += line
            if re.search(pattern, line):
                return lines
        pytest.fail(f"no {pattern!r} in {lines!r}")

    def reload(self, text: str) -> str:
        """Reload with another configuration; return the log of it."""
        self.config.write_text(text)
        self.process.send_signal(signal.SIGHUP)
        return self.expect("Reload (complete|refused)")


@pytest.fixture
def foreground(config: Path) -> Iterator[Foreground]:
    daemon = Foreground(config)
    yield daemon
    daemon.process.terminate()
    assert daemon.process.wait(PATIENCE_S) == 0
    assert daemon.process.stderr is not None
    daemon.process.stderr.close()


def test_reload_in_keepalived_words(foreground: Foreground) -> None:
    log = foreground.reload("FV211")
    for line in ("Reloading \\.\\.\\.", "Reloading", "applied", "Reload complete"):
        assert re.search(f"{LINE}{line}$", log, re.MULTILINE), line
    assert "warning[FV211]: a warning" in log
    assert "hush" not in log


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("wrong", "keepalived.conf: error[FV104]: priority 300 is outside 1-255"),
        ("empty", "the configuration has no vrrp_instance"),
        ("FV101", "keepalived.conf: warning[FV101]: unknown keyword virtual_ipadress"),
        ("table", "nftables cannot change while the daemon runs"),
        ("kernel", "open VRRP socket on eth0: Too many open files"),
    ],
)
def test_reload_that_is_refused_says_why(foreground: Foreground, text: str, why: str) -> None:
    log = foreground.reload(text)
    assert why in log
    assert "Reload refused: the running configuration stays" in log
    assert "applied" not in log
    assert "applied" in foreground.reload("fine")


def test_what_has_always_been_unknown_is_no_obstacle(config: Path) -> None:
    config.write_text("FV101")
    daemon = Foreground(config)
    assert "applied" in daemon.reload("FV101 still")
    daemon.process.terminate()
    assert daemon.process.wait(PATIENCE_S) == 0
    assert daemon.process.stderr is not None
    daemon.process.stderr.close()


def test_reader_that_needs_too_much_memory_is_an_error_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a configuration whose reading runs out of memory, then that is what is said of it."""

    def examine(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("fastvrrp.config.examine", examine)
    monkeypatch.setattr("fastvrrp.daemon.reader._limit", lambda which, amount: None)
    options = Options()
    options.config_file = "huge.conf"
    fd = memory_file("test")
    try:
        assert not read(options, fd, Log("test", []))
        with pytest.raises(ConfigError, match=r"huge\.conf: error\[FV002\].*1024 MiB of memory"):
            load(fd)
    finally:
        os.close(fd)
        gc.enable()
