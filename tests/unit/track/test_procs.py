"""`ProcessWatcher`: it counts the right processes, by scans and by events, and reads no more."""

import errno
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coldside import Until
from fastvrrp.config.model import ParamMatch
from fastvrrp.reactor import Reactor
from fastvrrp.track.proc_events import EventKind, ProcessEvent, ProcessEvents
from fastvrrp.track.procs import Pattern, ProcessWatcher

NGINX = Pattern(command=("nginx",))
FULL = Pattern(command=("/usr/sbin/nginx", "-g", "daemon off;"), full_command=True)


def line(*words: str) -> bytes:
    return b"".join(word.encode() + b"\0" for word in words)


@pytest.mark.parametrize(
    ("name", "matches"),
    [(b"nginx", True), (b"nginx2", False), (b"ngin", False), (b"", False), (b"NGINX", False)],
)
def test_names_are_compared_as_a_whole(name: bytes, matches: bool) -> None:
    assert NGINX.matches_name(name) is matches


def test_the_kernel_keeps_15_bytes_of_a_name() -> None:
    long = Pattern(command=("a-very-long-process-name",))
    assert long.matches_name(b"a-very-long-pro")
    assert not long.matches_name(b"a-very-long-pr")


@pytest.mark.parametrize(
    ("words", "exact", "initial", "partial"),
    [
        (("prog", "-a", "bc"), True, True, True),
        (("prog", "-a", "bc", "d"), False, True, True),
        (("prog", "-a", "bcd"), False, False, True),
        (("prog", "-a"), False, False, False),
        (("prog2", "-a", "bc"), False, False, False),
        (("prog", "-a bc"), False, False, False),
        (("x", "prog", "-a", "bc"), False, False, False),
    ],
)
def test_parameters_are_compared_in_three_ways(
    words: tuple[str, ...], exact: bool, initial: bool, partial: bool
) -> None:
    expected = {
        ParamMatch.EXACT: exact,
        ParamMatch.INITIAL: initial,
        ParamMatch.PARTIAL: partial,
    }
    for match, matches in expected.items():
        pattern = Pattern(command=("prog", "-a", "bc"), full_command=True, match=match)
        assert pattern.matches_line(line(*words)) is matches
        assert pattern.matches_line(line(*words)[: pattern.room]) is matches
        assert not pattern.matches_line(b"")


class FakeProc:
    """A directory with processes, and events that are told by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.queue: list[ProcessEvent | OSError] = []
        self._read, self._write = os.pipe()
        self.closed = False

    def add(self, pid: int, name: str, words: tuple[str, ...] = (), state: str = "S") -> "FakeProc":
        place = self.root / str(pid)
        place.mkdir(exist_ok=True)
        (place / "comm").write_text(f"{name[:15]}\n")
        (place / "cmdline").write_bytes(line(*words))
        (place / "stat").write_text(f"{pid} ({name[:15]}) {state} 1 1 1 0 -1 ...\n")
        return self

    def gone(self, pid: int) -> None:
        shutil.rmtree(self.root / str(pid))

    def tell(self, *events: ProcessEvent | OSError) -> None:
        self.queue += events
        os.write(self._write, b"x")

    def fileno(self) -> int:
        return self._read

    def read(self) -> Iterator[ProcessEvent]:
        os.read(self._read, 1)
        while self.queue:
            event = self.queue.pop(0)
            if isinstance(event, OSError):
                raise event
            yield event

    def close(self) -> None:
        self.closed = True

    def end(self) -> None:
        os.close(self._read)
        os.close(self._write)


@pytest.fixture
def proc(tmp_path: Path) -> Iterator[FakeProc]:
    proc = FakeProc(tmp_path)
    (tmp_path / "self").mkdir()
    (tmp_path / "uptime").touch()
    yield proc
    proc.end()


@pytest.fixture
def watcher(reactor: Reactor, proc: FakeProc) -> ProcessWatcher:
    return ProcessWatcher(
        loop=reactor,
        root=str(proc.root),
        open_events=lambda: proc,  # type: ignore[arg-type,return-value]  # a stand-in
    )


Counts = list[int]


def watched(watcher: ProcessWatcher, pattern: Pattern, until: Until) -> Counts:
    """Return a list that fills with the counts, the first of which is there."""
    counts: Counts = []
    watcher.watch(pattern, counts.append)
    until(lambda: counts)
    return counts


def test_processes_that_run_already_are_counted(
    watcher: ProcessWatcher, proc: FakeProc, until: Until
) -> None:
    proc.add(1, "init").add(10, "nginx").add(11, "nginx").add(12, "nginx-debug")
    assert watched(watcher, NGINX, until) == [2]


def test_what_stands_in_a_name_does_not_matter(
    watcher: ProcessWatcher, proc: FakeProc, until: Until
) -> None:
    """
    given processes whose names have blanks, parentheses and what looks like a state
    when some of them are zombies
    then only those that live are counted.
    """
    name = "a) Z (b"
    proc.add(10, name).add(11, name, state="R").add(12, name, state="Z").add(13, name, state="X")
    assert watched(watcher, Pattern(command=(name,)), until) == [2]
    name = "x) S 1 (y"
    proc.add(20, name, state="Z").add(21, name)
    assert watched(watcher, Pattern(command=(name,)), until) == [1]


def test_a_command_line_is_only_read_where_one_is_compared(
    watcher: ProcessWatcher, proc: FakeProc, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = os.open

    def noting(path: str, flags: int) -> int:
        opened.append(str(path).removeprefix(f"{proc.root}/"))
        return real(path, flags)

    proc.add(1, "init", ("/sbin/init",)).add(2, "nginx", ("nginx",))
    monkeypatch.setattr("fastvrrp.track.procs.os.open", noting)
    watched(watcher, NGINX, until)
    assert sorted(opened) == ["1/comm", "2/comm", "2/stat"]


def test_events_are_followed(watcher: ProcessWatcher, proc: FakeProc, until: Until) -> None:
    proc.add(10, "nginx")
    counts = watched(watcher, NGINX, until)
    proc.tell(ProcessEvent(EventKind.FORK, 11, parent=10))  # a child of it is one, too
    until(lambda: counts[-1] == 2)
    proc.add(12, "sh")
    proc.tell(ProcessEvent(EventKind.FORK, 12, parent=1))
    proc.add(12, "nginx")
    proc.tell(ProcessEvent(EventKind.EXEC, 12))
    until(lambda: counts[-1] == 3)
    proc.tell(ProcessEvent(EventKind.COMM, 12, name=b"other"))
    until(lambda: counts[-1] == 2)
    proc.tell(ProcessEvent(EventKind.COMM, 12, name=b"nginx"))
    until(lambda: counts[-1] == 3)
    proc.tell(ProcessEvent(EventKind.EXIT, 10), ProcessEvent(EventKind.EXIT, 12))
    until(lambda: counts[-1] == 1)
    assert counts == [1, 2, 3, 2, 3, 1]


def test_a_child_that_executes_something_else_is_no_more_than_a_moment_one(
    watcher: ProcessWatcher, proc: FakeProc, until: Until
) -> None:
    proc.add(10, "nginx").add(11, "logger")
    counts = watched(watcher, NGINX, until)
    proc.tell(
        ProcessEvent(EventKind.FORK, 11, parent=10),
        ProcessEvent(EventKind.EXEC, 11),
        ProcessEvent(EventKind.FORK, 12, parent=10),
    )
    until(lambda: counts[-1] == 2)
    assert counts == [1, 2]


def test_a_number_that_is_used_again_is_another_process(
    watcher: ProcessWatcher, proc: FakeProc, until: Until
) -> None:
    proc.add(10, "nginx").add(20, "nginx")
    counts = watched(watcher, NGINX, until)
    proc.add(10, "cron")
    proc.tell(
        ProcessEvent(EventKind.EXIT, 10),
        ProcessEvent(EventKind.FORK, 10, parent=1),
        ProcessEvent(EventKind.EXIT, 20),
        ProcessEvent(EventKind.FORK, 20, parent=10),
        ProcessEvent(EventKind.FORK, 21, parent=20),
    )
    until(lambda: counts[-1] == 0)


def test_lost_events_make_it_look_again(
    watcher: ProcessWatcher, proc: FakeProc, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastvrrp")
    proc.add(10, "nginx").add(11, "nginx")
    counts = watched(watcher, NGINX, until)
    proc.gone(10)
    proc.gone(11)
    proc.add(12, "nginx")
    proc.tell(OSError(errno.ENOBUFS, "No buffer space available"))
    until(lambda: counts[-1] == 1)
    assert "process events were lost; all processes are looked at again" in caplog.messages


def test_who_is_born_during_a_scan_is_looked_at(
    watcher: ProcessWatcher, proc: FakeProc, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    given a scan that looks at one process at a turn
    when a process behind the scan forks, and another one ends
    then both are as they should be when the scan is done.
    """
    monkeypatch.setattr("fastvrrp.track.procs._SLICE", 1)
    for pid in range(10, 20):
        proc.add(pid, "nginx")
    real = watcher._look_at
    looked: list[int] = []

    def look_at(pid: int) -> None:
        looked.append(pid)
        real(pid)
        if len(looked) == 3:
            proc.add(99, "nginx")
            proc.gone(looked[0])
            proc.tell(
                ProcessEvent(EventKind.EXIT, looked[0]),
                ProcessEvent(EventKind.FORK, 99, parent=1),
            )

    monkeypatch.setattr(watcher, "_look_at", look_at)
    counts = watched(watcher, NGINX, until)
    assert counts == [10]
    assert looked.count(99) >= 1


def test_a_long_scan_does_not_hold_up_the_loop(
    watcher: ProcessWatcher, proc: FakeProc, reactor: Reactor
) -> None:
    for pid in range(1, 1001):
        proc.add(pid, "nginx" if pid % 10 == 0 else "other")
    counts: Counts = []
    watcher.watch(NGINX, counts.append)
    turns = 0
    while not counts:
        reactor.run_once(None)
        turns += 1
    assert counts == [100]
    assert turns >= 1000 // 64


def test_patterns_share_a_scan_and_are_told_apart(
    watcher: ProcessWatcher, proc: FakeProc, until: Until
) -> None:
    proc.add(10, "nginx", ("/usr/sbin/nginx", "-g", "daemon off;"))
    proc.add(11, "nginx", ("/usr/sbin/nginx",))
    by_name: Counts = []
    by_line: Counts = []
    watcher.watch(NGINX, by_name.append)
    watcher.watch(FULL, by_line.append)
    until(lambda: by_name and by_line)
    assert (by_name, by_line) == ([2], [1])
    watcher.unwatch(by_name.append)


def test_it_ends_with_the_last_pattern_and_can_begin_again(
    reactor: Reactor, watcher: ProcessWatcher, proc: FakeProc, until: Until
) -> None:
    counts: Counts = []
    note = counts.append
    watcher.watch(NGINX, note)
    until(lambda: counts == [0])
    watcher.unwatch(note)
    assert proc.closed
    assert reactor._timers == []
    assert reactor._readers == {}
    proc.add(10, "nginx")
    assert watched(watcher, NGINX, until) == [1]


def test_without_events_it_scans_again_and_says_so_once(
    reactor: Reactor,
    proc: FakeProc,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse() -> ProcessEvents:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    caplog.set_level(logging.INFO, "fastvrrp")
    monkeypatch.setattr("fastvrrp.track.procs._SCAN_EVERY_S", 0.0)
    monkeypatch.setattr("fastvrrp.track.procs._SHARE", 0)
    watcher = ProcessWatcher(loop=reactor, root=str(proc.root), open_events=refuse)
    proc.add(10, "nginx")
    counts = watched(watcher, NGINX, until)
    proc.add(10, "cron")  # it executed something, or its number was used again
    until(lambda: counts[-1] == 0)
    proc.add(11, "nginx")
    until(lambda: counts[-1] == 1)
    assert caplog.messages == [
        "no process events from the kernel (Operation not permitted); "
        "processes are looked at once a second"
    ]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastvrrp.track.procs._SCAN_EVERY_S", 0.0)


FAILED = "processes cannot be looked at: %s; their numbers stay as they are until it works"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("what", ["scandir", "open"])
def test_a_scan_that_fails_is_repeated_and_tells_nothing(
    watcher: ProcessWatcher,
    proc: FakeProc,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    what: str,
) -> None:
    """
    given two processes that run, known from an earlier scan
    when scans fail for lack of descriptors, and then work again
    then nobody hears of fewer processes, it is logged once, and changes are seen again.
    """
    attempts: list[str] = []

    def refuse(path: str, flags: int = 0) -> object:
        attempts.append(path)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    proc.add(10, "nginx").add(11, "nginx")
    counts = watched(watcher, NGINX, until)
    with monkeypatch.context() as broken:
        broken.setattr(f"fastvrrp.track.procs.os.{what}", refuse)
        proc.tell(OSError(errno.ENOBUFS, "No buffer space available"))
        until(lambda: len(attempts) == 3)
        proc.tell(ProcessEvent(EventKind.EXIT, 11))
    proc.gone(11)
    until(lambda: counts[-1] == 1)
    assert counts == [2, 1]
    assert caplog.messages.count(FAILED % "Too many open files") == 1
    proc.tell(ProcessEvent(EventKind.EXIT, 10))
    until(lambda: counts == [2, 1, 0])


@pytest.mark.usefixtures("quick")
def test_a_program_that_cannot_be_looked_at_is_looked_at_later(
    watcher: ProcessWatcher, proc: FakeProc, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[str] = []

    def refuse(path: str, flags: int) -> int:
        attempts.append(path)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    proc.add(10, "nginx").add(11, "sh")
    counts = watched(watcher, NGINX, until)
    with monkeypatch.context() as broken:
        broken.setattr("fastvrrp.track.procs.os.open", refuse)
        proc.add(11, "nginx")
        proc.tell(ProcessEvent(EventKind.EXEC, 11))
        until(lambda: attempts)
    until(lambda: counts[-1] == 2)
    assert counts == [1, 2]


@pytest.mark.parametrize("code", [errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM])
def test_a_process_that_is_gone_or_hidden_is_none(
    watcher: ProcessWatcher,
    proc: FakeProc,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    code: int,
) -> None:
    real = os.open

    def refuse(path: str, flags: int) -> int:
        if path == f"{proc.root}/10/comm":
            raise OSError(code, os.strerror(code))
        return real(path, flags)

    proc.add(10, "nginx").add(11, "nginx")
    monkeypatch.setattr("fastvrrp.track.procs.os.open", refuse)
    assert watched(watcher, NGINX, until) == [1]
    assert caplog.messages == []


@pytest.fixture
def events() -> Iterator[ProcessEvents]:
    try:
        events = ProcessEvents()
    except OSError as error:
        pytest.skip(f"the kernel gives no process events here: {error.strerror}")
    yield events
    events.close()


def told(events: ProcessEvents) -> list[ProcessEvent]:
    """Return all that has been told so far; the kernel tells of an end before anybody knows."""
    found: list[ProcessEvent] = []
    while batch := list(events.read()):
        found += batch
    return found


def test_the_kernel_tells_what_becomes_of_a_process(events: ProcessEvents) -> None:
    with subprocess.Popen(["/bin/sh", "-c", "exec sleep 0"]) as child:
        pid = child.pid
    kinds = [event.kind for event in told(events) if event.pid == pid]
    assert kinds[0] is EventKind.FORK
    assert kinds[-1] is EventKind.EXIT
    assert kinds.count(EventKind.EXEC) == 2


def test_the_kernel_tells_of_names_and_of_no_thread(events: ProcessEvents) -> None:
    code = (
        "import threading\n"
        "t = threading.Thread(target=int)\n"
        "t.start(); t.join()\n"
        "open('/proc/self/comm', 'w').write('a) Z (b')\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        pid = child.pid
    found = told(events)
    own = [event for event in found if event.pid == pid]
    assert [event.name for event in own if event.kind is EventKind.COMM][-1:] == [b"a) Z (b"]
    forked = [event for event in found if event.parent == pid]
    assert forked == []
    assert [event.kind for event in own].count(EventKind.EXIT) == 1


def test_a_real_process_is_counted(reactor: Reactor, until: Until, tmp_path: Path) -> None:
    program = tmp_path / "fv-test-prog"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    counts: Counts = []
    note = counts.append
    watcher = ProcessWatcher(loop=reactor)
    watcher.watch(Pattern(command=(str(program), "1000"), full_command=True), note)
    until(lambda: counts == [0])
    child = subprocess.Popen([program, "1000"])
    until(lambda: counts[-1] == 1)
    child.kill()
    until(lambda: counts[-1] == 0)
    child.wait()
    watcher.unwatch(note)
