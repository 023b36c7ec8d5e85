"""`ProbeTracker` and its checks: what succeeds, what fails and why, when it runs."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path

import pytest

from coldside import Until, until_on
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.model import (
    FileProbe,
    HttpProbe,
    InterfaceProbe,
    ProbeConfig,
    ProbeTarget,
    ProcessProbe,
    TcpProbe,
    TrackUse,
    UnixProbe,
)
from fastvrrp.reactor import Reactor
from fastvrrp.track.base import Contribution, Verdict
from fastvrrp.track.probe import ProbeTracker
from fastvrrp.track.prober import Prober
from fastvrrp.track.procs import ProcessWatcher

HOUR = seconds(3600)
USE = TrackUse(name="chk")


class Fixture:
    """Probes of one prober, and the verdicts that were told."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.prober = Prober(loop=reactor)
        self.watcher = ProcessWatcher(loop=reactor)
        self.up = {"eth0"}
        self.verdicts: list[Verdict] = []
        self.trackers: list[ProbeTracker] = []

    def track(
        self,
        target: ProbeTarget,
        *,
        interval: Nanoseconds = milliseconds(5),
        timeout: Nanoseconds | None = HOUR,
        rise: int = 1,
        fall: int = 1,
        init_fail: bool = False,
    ) -> ProbeTracker:
        config = ProbeConfig(
            name="chk",
            target=target,
            interval=interval,
            timeout=timeout,
            rise=rise,
            fall=fall,
            init_fail=init_fail,
        )
        tracker = ProbeTracker(
            config,
            on_change=lambda tracker: self.verdicts.append(tracker.verdict),
            prober=self.prober,
            watcher=self.watcher,
            is_up=self.up.__contains__,
        )
        self.trackers.append(tracker)
        tracker.start()
        return tracker


@pytest.fixture
def probe(reactor: Reactor, caplog: pytest.LogCaptureFixture) -> Iterator[Fixture]:
    caplog.set_level(logging.INFO, "fastvrrp")
    fixture = Fixture(reactor)
    yield fixture
    for tracker in fixture.trackers:
        tracker.stop()
    assert reactor._timers == []
    assert reactor._readers == {}


class Server:
    """A TCP server on this host, which takes no connection before `listen`."""

    def __init__(self, host: str) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.bind((host, 0))
        self.port: int = self.socket.getsockname()[1]
        self._thread: threading.Thread | None = None

    def listen(self) -> "Server":
        self.socket.listen(16)
        return self

    def answer(self, response: bytes) -> "Server":
        """Take connections from now on and send this to each; the request is read first."""
        self.listen()
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, args=(response,), daemon=True)
        self._thread.start()
        return self

    def _serve(self, response: bytes) -> None:
        while True:
            try:
                taken, _ = self.socket.accept()
            except OSError:
                return
            with taken:
                try:
                    self.requests.append(taken.recv(4096))
                    taken.sendall(response)
                except OSError:
                    continue

    def close(self) -> None:
        if self._thread is not None:
            self.socket.shutdown(socket.SHUT_RDWR)
            self._thread.join()
        self.socket.close()


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def make(host: str = "127.0.0.1") -> Server:
            made = Server(host)
            stack.callback(made.close)
            return made

        yield make


def tcp(port: int, host: str = "127.0.0.1") -> TcpProbe:
    return TcpProbe(address=ip_address(host), port=port)


def page(port: int, status: int | None = None) -> HttpProbe:
    return HttpProbe(address=ip_address("127.0.0.1"), port=port, path="/health", status=status)


MakeServer = Callable[..., Server]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_tcp_port_is_followed(
    probe: Fixture,
    until: Until,
    server: MakeServer,
    caplog: pytest.LogCaptureFixture,
    host: str,
) -> None:
    service = server(host)
    tracker = probe.track(tcp(service.port, host))
    assert tracker.contribution(USE) == Contribution(pending=True)
    until(lambda: probe.verdicts == [Verdict.DOWN])
    assert tracker.contribution(USE).fault == "probe chk failed (connection refused)"
    service.listen()
    until(lambda: probe.verdicts == [Verdict.DOWN, Verdict.UP])
    assert tracker.contribution(USE) == Contribution()
    service.close()
    until(lambda: probe.verdicts[2:] == [Verdict.DOWN])
    assert caplog.messages == [
        "VRRP_Probe(chk) failed (connection refused)",
        "VRRP_Probe(chk) succeeded",
        "VRRP_Probe(chk) failed (connection refused)",
    ]


def test_the_program_behind_a_port_never_sees_the_probe(
    probe: Fixture, until: Until, server: MakeServer
) -> None:
    service = server().listen()
    service.socket.setblocking(False)
    results: list[int] = []
    tracker = probe.track(tcp(service.port))
    real = tracker._results.feed

    def feed(*, ok: bool) -> Verdict:
        results.append(ok)
        return real(ok=ok)

    tracker._results.feed = feed  # type: ignore[method-assign]
    until(lambda: len(results) == 20)
    assert all(results)
    with pytest.raises(BlockingIOError):
        service.socket.accept()


@pytest.mark.parametrize(
    ("response", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", None, None),
        (b"HTTP/1.0 399 \r\n", None, None),
        (b"HTTP/1.0 204\r\n", 204, None),
        (b"HTTP/1.1 503 Service Unavailable\r\n", 503, None),
        (b"HTTP/1.1 503 Service Unavailable\r\n", None, "status 503"),
        (b"HTTP/1.1 400 \r\n", None, "status 400"),
        (b"HTTP/1.1 200 OK\r\n", 204, "status 200"),
        (b"HTTP/1.1 2000 OK\r\n", None, "no HTTP response"),
        (b"SSH-2.0-OpenSSH\r\n", None, "no HTTP response"),
        (b"x" * 5000, None, "no HTTP response"),
        (b"HTTP/1.1 200 " + b"x" * 5000, None, None),
        (b"", None, "connection closed"),
    ],
)
def test_a_page_has_a_status(
    probe: Fixture, server: MakeServer, response: bytes, status: int | None, reason: str | None
) -> None:
    service = server().answer(response)
    tracker = probe.track(page(service.port, status), interval=HOUR)
    until_on(probe.reactor)(lambda: probe.verdicts)
    fault = None if reason is None else f"probe chk failed ({reason})"
    assert tracker.contribution(USE).fault == fault


def test_a_page_is_asked_for_like_this(probe: Fixture, until: Until, server: MakeServer) -> None:
    service = server().answer(b"HTTP/1.1 200 OK\r\n\r\n")
    probe.track(page(service.port), interval=HOUR)
    until(lambda: probe.verdicts)
    assert service.requests == [
        b"GET /health HTTP/1.0\r\n"
        b"Host: 127.0.0.1:%d\r\n"
        b"User-Agent: fastvrrp\r\n"
        b"Connection: close\r\n\r\n" % service.port
    ]


def test_a_server_that_does_not_answer_times_out(
    probe: Fixture, until: Until, server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    service = server().listen()  # the kernel takes the connection, and nobody answers
    probe.track(page(service.port), interval=milliseconds(20), timeout=None)
    until(lambda: probe.verdicts == [Verdict.DOWN])
    assert caplog.messages == ["VRRP_Probe(chk) failed (timed out)"]
    service.answer(b"HTTP/1.1 200 OK\r\n\r\n")
    until(lambda: probe.verdicts[1:] == [Verdict.UP])


def test_a_connection_that_nobody_takes_times_out(
    probe: Fixture, until: Until, server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    service = server()
    service.socket.listen(0)
    with ExitStack() as stack:
        for _ in range(4):  # fills the backlog; then the kernel drops what comes
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", service.port))
        probe.track(tcp(service.port), interval=milliseconds(20), timeout=milliseconds(15))
        until(lambda: probe.verdicts)
    assert caplog.messages == ["VRRP_Probe(chk) failed (timed out)"]


def test_a_connection_that_takes_its_time_succeeds(
    probe: Fixture, until: Until, server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    """
    given a service whose backlog is full, so that the kernel drops our first packet
    when it takes a connection, and the kernel asks again (a second later)
    then the probe, which has waited, succeeds.
    """
    service = server()
    service.socket.listen(0)
    with socket.create_connection(("127.0.0.1", service.port)):
        probe.track(tcp(service.port), interval=HOUR)
        until(lambda: probe.prober._waiting)
        taken, _ = service.socket.accept()
        until(lambda: probe.verdicts)
        taken.close()
    assert caplog.messages == ["VRRP_Probe(chk) succeeded"]
    assert probe.prober._waiting == {}


def test_a_unix_socket_is_followed(
    probe: Fixture, until: Until, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "app.sock"
    probe.track(UnixProbe(path=str(path)))
    until(lambda: probe.verdicts == [Verdict.DOWN])
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(path))
        service.listen(128)
        until(lambda: probe.verdicts[1:] == [Verdict.UP])
    until(lambda: probe.verdicts[2:] == [Verdict.DOWN])
    assert caplog.messages == [
        "VRRP_Probe(chk) failed (no such file or directory)",
        "VRRP_Probe(chk) succeeded",
        "VRRP_Probe(chk) failed (connection refused)",
    ]


def test_a_file_exists_and_is_young(
    probe: Fixture, until: Until, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "alive"
    probe.track(FileProbe(path=str(path), max_age=HOUR))
    until(lambda: probe.verdicts == [Verdict.DOWN])
    path.touch()
    until(lambda: probe.verdicts[1:] == [Verdict.UP])
    long_ago = time.time_ns() - seconds(7200)
    os.utime(path, ns=(long_ago, long_ago))
    until(lambda: probe.verdicts[2:] == [Verdict.DOWN])
    assert caplog.messages == [
        "VRRP_Probe(chk) failed (no such file or directory)",
        "VRRP_Probe(chk) succeeded",
        "VRRP_Probe(chk) failed (7200 s old)",
    ]


def test_a_file_without_max_age_may_be_old_but_must_be_one(
    probe: Fixture, until: Until, tmp_path: Path
) -> None:
    path = tmp_path / "alive"
    path.touch()
    os.utime(path, (0, 0))
    probe.track(FileProbe(path=str(path)))
    until(lambda: probe.verdicts == [Verdict.UP])
    tracker = probe.track(FileProbe(path=str(tmp_path)))
    until(lambda: probe.verdicts[1:] == [Verdict.DOWN])
    assert tracker.contribution(USE).fault == "probe chk failed (no regular file)"


def test_an_interface_is_up(probe: Fixture, until: Until) -> None:
    tracker = probe.track(InterfaceProbe(interface="eth0"))
    until(lambda: probe.verdicts == [Verdict.UP])
    probe.up.clear()
    until(lambda: probe.verdicts[1:] == [Verdict.DOWN])
    assert tracker.contribution(USE).fault == "probe chk failed (interface down)"


def test_a_process_runs(probe: Fixture, until: Until) -> None:
    tracker = probe.track(ProcessProbe(process="nothing-is-so"))
    until(lambda: probe.verdicts == [Verdict.DOWN])
    assert tracker.contribution(USE).fault == "probe chk failed (not running)"
    own = Path("/proc/self/comm").read_text().rstrip("\n")
    probe.track(ProcessProbe(process=own))
    until(lambda: probe.verdicts[1:] == [Verdict.UP])


def test_results_are_damped(probe: Fixture, until: Until) -> None:
    states: list[bool] = []

    def is_up(up: bool) -> None:
        (probe.up.add if up else probe.up.discard)("eth0")

    tracker = probe.track(InterfaceProbe(interface="eth0"), rise=3, fall=2)
    real = tracker._results.feed
    script = iter([True, False, True, False, False, True, True, True, True])

    def feed(*, ok: bool) -> Verdict:
        states.append(ok)
        is_up(next(script, True))
        return real(ok=ok)

    is_up(next(script))
    tracker._results.feed = feed  # type: ignore[method-assign]
    until(lambda: len(states) >= 8)
    assert states[:8] == [True, False, True, False, False, True, True, True]
    assert probe.verdicts == [Verdict.UP, Verdict.DOWN, Verdict.UP]


def test_init_fail_counts_as_failed_until_rise_successes(probe: Fixture, until: Until) -> None:
    tracker = probe.track(InterfaceProbe(interface="eth0"), rise=3, init_fail=True)
    assert tracker.contribution(USE).fault == "probe chk failed (no success yet)"
    until(lambda: probe.verdicts == [Verdict.UP])
    assert tracker._results.count == 3


def test_weights_are_those_of_the_use_or_of_the_probe(probe: Fixture, until: Until) -> None:
    tracker = probe.track(InterfaceProbe(interface="eth0"))
    until(lambda: probe.verdicts)
    assert tracker.contribution(TrackUse(name="chk", weight=5)) == Contribution(weight=5)
    assert tracker.contribution(TrackUse(name="chk", weight=5, reverse=True)).weight == -5
    reverse = TrackUse(name="chk", weight=0, reverse=True)
    assert tracker.contribution(reverse).fault == "probe chk succeeded"


def test_nothing_is_told_after_stop_and_no_descriptor_is_left(
    probe: Fixture, reactor: Reactor, server: MakeServer
) -> None:
    before = os.listdir("/proc/self/fd")
    service = server().listen()
    tracker = probe.track(page(service.port))
    while probe.prober._waiting == {}:
        reactor.run_once(None)
    done: list[bool] = []
    tracker.stop(lambda: done.append(True))
    tracker.stop()
    service.close()
    assert (probe.verdicts, done) == ([], [True])
    assert os.listdir("/proc/self/fd") == before


def test_a_probe_can_begin_again(probe: Fixture, until: Until) -> None:
    tracker = probe.track(InterfaceProbe(interface="eth0"))
    until(lambda: probe.verdicts == [Verdict.UP])
    tracker.stop()
    probe.up.clear()
    tracker.start()
    until(lambda: probe.verdicts == [Verdict.UP, Verdict.DOWN])


def test_asyncio_runs_probes_as_well(server: MakeServer) -> None:
    import asyncio  # noqa: PLC0415 - one test needs it

    service = server().answer(b"HTTP/1.1 200 OK\r\n\r\n")
    verdicts: list[Verdict] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        known = asyncio.Event()

        def note(tracker: ProbeTracker) -> None:
            verdicts.append(tracker.verdict)
            known.set()

        tracker = ProbeTracker(
            ProbeConfig(name="chk", target=page(service.port)),
            on_change=note,
            prober=Prober(loop=loop),
            watcher=ProcessWatcher(loop=loop),
            is_up=lambda name: True,
        )
        tracker.start()
        await asyncio.wait_for(known.wait(), 30)
        tracker.stop()

    asyncio.run(run())
    assert verdicts == [Verdict.UP]


@pytest.mark.parametrize(
    "target", [FileProbe(path="/mnt/share/f"), UnixProbe(path="/mnt/share/socket")]
)
def test_what_can_keep_waiting_fails_and_says_why(
    probe: Fixture,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    target: FileProbe | UnixProbe,
) -> None:
    kinds = {target.path: "nfs4"}
    monkeypatch.setattr("fastvrrp.track.checks.waits_on", kinds.get)
    probe.track(target)
    until(lambda: probe.verdicts == [Verdict.DOWN])
    assert caplog.messages == ["VRRP_Probe(chk) failed (not looked at: it is on nfs4)"]
