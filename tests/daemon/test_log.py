import logging
import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastvrrp.daemon import log as log_module
from fastvrrp.daemon.log import DEBUG, ERR, Console, Log, Syslog
from fastvrrp.daemon.records import LogHandler
from fastvrrp.secret import Secret


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    yield read_fd, write_fd
    os.close(read_fd)
    os.close(write_fd)


def drain(fd: int) -> str:
    """Everything that the non-blocking `fd` holds."""
    data = b""
    try:
        while chunk := os.read(fd, 65536):
            data += chunk
    except BlockingIOError:
        pass
    return data.decode()


def test_console_line_is_ctime_and_text(pipe: tuple[int, int]) -> None:
    read_fd, write_fd = pipe
    Log("Keepalived", [Console(write_fd)]).info("(VI_1) Entering MASTER STATE")
    pattern = (
        r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}: \(VI_1\) Entering MASTER STATE\n"
    )
    assert re.fullmatch(pattern, drain(read_fd))


def test_console_leaves_the_shared_descriptor_blocking(pipe: tuple[int, int]) -> None:
    Console(pipe[1])
    assert os.get_blocking(pipe[1])


def test_full_pipe_never_blocks_and_losses_are_told_later(pipe: tuple[int, int]) -> None:
    """Given a reader that does not read, when far more is logged than pipe and queue hold, then
    the writer goes on; once the reader reads, the oldest lines come, and a count of the lost.
    """
    read_fd, write_fd = pipe
    log = Log("Keepalived", [Console(write_fd)])
    total = 4000
    for number in range(total):
        log.info(f"line {number} " + "x" * 100)
    assert log.pending
    text = ""
    while log.pending:
        text += drain(read_fd)
        log.flush()
    log.info("after")
    text += drain(read_fd)
    assert not log.pending
    numbers = [int(n) for n in re.findall(r": line (\d+) ", text)]
    assert numbers == list(range(len(numbers)))
    lost = re.search(r": (\d+) log lines were lost because the log was blocked\n", text)
    assert lost is not None
    assert len(numbers) + int(lost[1]) == total
    assert text.endswith(": after\n")


def test_stream_socket_as_console_does_not_block() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        log = Log("Keepalived", [Console(theirs.fileno())])
        for _ in range(20_000):
            log.info("x" * 200)
        assert log.pending
        log.close()


def test_vanished_console_reader_is_forgotten() -> None:
    read_fd, write_fd = os.pipe()
    log = Log("Keepalived", [Console(write_fd)])
    os.close(read_fd)
    log.info("nobody hears")
    os.close(write_fd)
    assert not log.pending


def test_syslog_datagram_has_priority_ident_and_pid(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as server:
        server.bind(str(tmp_path / "log"))
        log = Log("Keepalived_vrrp", [Syslog(path=str(tmp_path / "log"))])
        log.info("hello")
        log.write(ERR, "broken")
        info, error = server.recv(4096).decode(), server.recv(4096).decode()
        log.close()
    head = r"[A-Z][a-z]{2} [ \d]\d [\d:]{8} Keepalived_vrrp\[" + str(os.getpid()) + r"\]: "
    assert re.fullmatch("<30>" + head + "hello", info)
    assert re.fullmatch("<27>" + head + "broken", error)


def test_lines_survive_a_restart_of_the_syslog_daemon(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log("Keepalived", [Syslog(path=str(path))])
    log.info("before it was there")
    assert log.pending
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as server:
        server.bind(str(path))
        log.info("now")
        assert server.recv(4096).endswith(b"before it was there")
        assert server.recv(4096).endswith(b"now")
    log.close()


def test_full_syslog_socket_does_not_block(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        log = Log("Keepalived", [Syslog(path=str(tmp_path / "log"))])
        for _ in range(5000):
            log.info("x")
        assert log.pending
        log.close()


def test_control_characters_cannot_forge_lines(pipe: tuple[int, int]) -> None:
    Log("Keepalived", [Console(pipe[1])]).info("a\x1b[2Jb\x7f\x00")
    assert drain(pipe[0]).endswith(": a\\x1b[2Jb\\x7f\\x00\n")


def test_long_line_is_cut_to_what_a_pipe_takes_at_once(pipe: tuple[int, int]) -> None:
    Log("Keepalived", [Console(pipe[1])]).info("x" * 10_000)
    text = drain(pipe[0])
    assert len(text) == log_module.MAX_LINE
    assert text.endswith("x\n")


def test_details_only_when_asked_for(pipe: tuple[int, int]) -> None:
    target = Console(pipe[1])
    Log("Keepalived", [target]).write(DEBUG, "hidden")
    Log("Keepalived", [target], detail=True).write(DEBUG, "shown")
    text = drain(pipe[0])
    assert "hidden" not in text
    assert "shown" in text


def test_after_fork_inherited_lines_are_not_sent_twice(tmp_path: Path) -> None:
    log = Log("Keepalived", [Syslog(path=str(tmp_path / "none"))])
    log.info("the parent's")
    log.after_fork("Keepalived_vrrp")
    assert not log.pending
    assert log.ident == "Keepalived_vrrp"


class FakeLoop:
    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay: float, callback: Callable[[], None], *_args: object) -> None:
        self.calls.append((delay, callback))


def make_record(level: int, message: object, *args: object) -> logging.LogRecord:
    return logging.LogRecord("fastvrrp.x", level, "", 0, message, args, None)


def test_records_keep_severity_and_hide_secrets(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as server:
        server.bind(str(tmp_path / "log"))
        log = Log("k", [Syslog(path=str(tmp_path / "log"))], detail=True)
        handler = LogHandler(log)
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.CRITICAL):
            handler.emit(make_record(level, "password %s", Secret(b"hush")))
        received = [server.recv(4096).decode() for _ in range(4)]
        log.close()
    assert [line[: line.index(">") + 1] for line in received] == ["<31>", "<30>", "<28>", "<27>"]
    assert all(line.endswith("password ***") for line in received)


def test_faulty_record_is_logged_as_it_stands(pipe: tuple[int, int]) -> None:
    LogHandler(Log("k", [Console(pipe[1])])).emit(make_record(logging.INFO, "%d", "x"))
    assert "'%d' (its arguments do not fit" in drain(pipe[0])


def test_queued_lines_are_retried_by_one_timer(tmp_path: Path) -> None:
    handler = LogHandler(Log("k", [Syslog(path=str(tmp_path / "none"))]))
    loop = FakeLoop()
    handler.use_loop(loop)  # type: ignore[arg-type]  # all of a loop that it uses
    handler.emit(make_record(logging.INFO, "a"))
    handler.emit(make_record(logging.INFO, "b"))
    assert len(loop.calls) == 1
    _, retry = loop.calls[0]
    retry()
    assert len(loop.calls) == 2
