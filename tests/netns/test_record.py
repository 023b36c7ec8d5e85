"""A daemon that records what happens to it: the recording replays without a difference."""

import os
import signal
from pathlib import Path

import pytest

from fastvrrp.record.replay import replay
from lab import AddressAdded, AddressRemoved, Exited, Host, Lab, LogLine, Process, Router
from netns import cold

pytestmark = pytest.mark.netns

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"
VIP = "10.9.0.100"
RECORDING = "/run/vrrp.jsonl"
PASSWORD = "geheim99"


def config(priority: int, *, body: str) -> str:
    return f"""
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    {body}
    virtual_ipaddress {{
        {VIP}
    }}
}}
"""


FAST = "version 3\n    advert_int 0.1"
AH = f"version 2\n    authentication {{\n auth_type AH\n auth_pass {PASSWORD}\n }}"


class Recorded:
    """The recorded daemon on its host, and one beside it without a recording."""

    def __init__(self, lab: Lab, program: str, body: str) -> None:
        self.lab = lab
        self.program = program
        self.host = lab.host("recorded", "10.9.0.1/24")
        self.body = body
        self.host.write("/run/recorded.conf", config(150, body=body))
        self.other = lab.host("other", "10.9.0.2/24")

    def start(self, *options: str) -> Process:
        files = ("-f", "/run/recorded.conf", "-p", "/run/r.pid", "-r", "/run/v.pid")
        self.process = self.host.popen(
            self.program, "-n", "-l", "-D", "-G", *files, "--record", RECORDING, *options
        )
        return self.process

    def rival(self, priority: int) -> Router:
        rival = Router(self.other, config(priority, body=self.body), program=self.program)
        rival.start()
        return rival

    def gets_it(self, host: Host, after: int) -> None:
        self.lab.first(
            AddressAdded, lambda e: e.host == host.name and e.address == VIP, after=after, timeout=8
        )

    def loses_it(self, host: Host, after: int) -> None:
        self.lab.first(
            AddressRemoved,
            lambda e: e.host == host.name and e.address == VIP,
            after=after,
            timeout=8,
        )

    def stop(self) -> None:
        stopped = self.lab.now()
        self.process.signal(signal.SIGTERM)
        end = self.lab.first(Exited, lambda e: e.host == self.host.name, after=stopped, timeout=8)
        assert end.status == 0

    def recording(self, path: Path) -> Path:
        path.write_text(self.host.run("cat", RECORDING))
        return path


@pytest.fixture
def recorded(request: pytest.FixtureRequest, lab: Lab, program: str) -> Recorded:
    return Recorded(lab, program, request.param)


def keep(path: Path, name: str) -> None:
    if os.environ.get("FASTVRRP_UPDATE") == "1":
        (TRANSCRIPTS / name).write_text(path.read_text())


@pytest.mark.parametrize("recorded", [FAST], indirect=True, ids=["v3"])
def test_takeover_preemption_and_link_loss_replay(recorded: Recorded, tmp_path: Path) -> None:
    """Given a recorded daemon, when it takes over, is preempted, takes over again as its rival
    resigns, and loses and regains its link, then its recording replays without a difference."""
    lab, host = recorded.lab, recorded.host
    recorded.start()
    recorded.gets_it(host, 0)

    started = lab.now()
    rival = recorded.rival(200)
    recorded.loses_it(host, started)
    recorded.gets_it(recorded.other, started)

    stopped = lab.now()
    rival.stop()
    recorded.gets_it(host, stopped)

    cut = lab.now()
    host.cut()
    recorded.loses_it(host, cut)
    host.heal()
    recorded.gets_it(host, cut)
    recorded.stop()

    assert host.run("stat", "-c", "%a", RECORDING).strip() == "600"
    path = recorded.recording(tmp_path / "r.jsonl")
    outcome = replay(path)
    assert outcome.difference is None
    assert outcome.end == "stop"
    assert outcome.routers == ("VI_1",)
    text = path.read_text()
    for said in ('"in":"advert"', '"faults":["link"]', '"in":"sent"', '"note":"resigned_peer"'):
        assert said in text
    keep(path, "takeover-preemption-link-loss-v3.jsonl")


@pytest.mark.parametrize("recorded", [AH], indirect=True, ids=["ah"])
def test_authenticated_adverts_replay_without_the_password(
    recorded: Recorded, tmp_path: Path
) -> None:
    """Given routers with a password, when the recorded one has heard the other and taken over from
    it, then its recording has sequence numbers but no password, and replays."""
    lab, host = recorded.lab, recorded.host
    rival = recorded.rival(200)
    recorded.gets_it(recorded.other, 0)
    recorded.start()
    lab.first(LogLine, lambda e: e.host == host.name and "10.9.0.2" in e.text, timeout=8)
    stopped = lab.now()
    rival.stop()
    recorded.gets_it(host, stopped)
    recorded.stop()

    path = recorded.recording(tmp_path / "r.jsonl")
    text = path.read_text()
    assert PASSWORD not in text
    assert '"ah_sequence":' in text
    outcome = replay(path)
    assert outcome.difference is None
    assert outcome.end == "stop"
    keep(path, "takeover-ah.jsonl")


@pytest.mark.parametrize("recorded", [FAST], indirect=True, ids=["v3"])
def test_a_respawned_process_records_beside_the_first(recorded: Recorded, tmp_path: Path) -> None:
    """Given a recorded VRRP process that is killed, then its successor is not kept from starting by
    the file; and the first recording, which breaks off, replays."""
    lab, host = recorded.lab, recorded.host
    recorded.start()
    recorded.gets_it(host, 0)
    killed = lab.now()
    host.run("sh", "-c", "kill -9 $(cat /run/v.pid)")
    recorded.gets_it(host, killed)
    recorded.stop()
    assert replay(recorded.recording(tmp_path / "first")).difference is None
    second = tmp_path / "second"
    second.write_text(host.run("cat", f"{RECORDING}.1"))
    outcome = replay(second)
    assert outcome.difference is None
    assert outcome.end == "stop"


@pytest.mark.parametrize("recorded", [FAST], indirect=True, ids=["v3"])
def test_a_daemon_does_not_start_over_what_exists(recorded: Recorded) -> None:
    recorded.host.write(RECORDING, "precious")
    recorded.start()
    lab = recorded.lab
    lab.first(
        LogLine, lambda e: "exists already: a recording overwrites nothing" in e.text, timeout=8
    )
    assert lab.first(Exited, timeout=8).status == 1
    assert recorded.host.run("cat", RECORDING) == "precious"


RELOADS = """
from fastvrrp import Engine, State

def text(*routers):
    "Routers of priority 255 with these VRIDs, and VRID 9 with a password."
    owners = "".join(
        f"vrrp_instance VI_{n} {{\\n interface eth0\\n virtual_router_id {n}\\n priority 255\\n"
        f" virtual_ipaddress {{\\n 10.9.0.{100 + n}\\n }}\\n}}\\n"
        for n, _ in routers
    )
    password = routers[0][1]
    return owners + (
        "vrrp_instance VI_9 {\\n interface eth0\\n virtual_router_id 9\\n version 2\\n"
        f" authentication {{\\n auth_type PASS\\n auth_pass {password}\\n }}\\n"
        " virtual_ipaddress {\\n 10.9.0.109\\n }\\n}\\n"
    )

def active(engine):
    return {one.name for one in engine.snapshot().instances if one.state is State.ACTIVE}

engine = Engine(loads(text((1, "geheim99"))), threaded=True, loop=reactor, record="/run/e.jsonl")
engine.start()
wait(lambda: "VI_1" in active(engine))
many = [(n, "geheim98") for n in (1, 2, 3, 4)]
engine.apply(loads(text(*many)))
wait(lambda: {"VI_2", "VI_4"} <= active(engine))
engine.apply(loads(text((2, "geheim98"), (5, ""))))
wait(lambda: "VI_5" in active(engine))
engine.stop()
result("done")
"""


def test_a_recording_goes_on_over_reloads(lab: Lab, tmp_path: Path) -> None:
    """Given a recorded engine with a hot thread, when it is given more routers, another password,
    and fewer again, then its recording has all of that but the passwords, and replays."""
    host = lab.host("recorded", "10.9.0.1/24")
    assert cold.run(host, RELOADS) == "done"
    path = tmp_path / "r.jsonl"
    path.write_text(host.run("cat", "/run/e.jsonl"))
    outcome = replay(path)
    assert outcome.difference is None
    assert (outcome.end, sorted(outcome.routers)) == ("stop", ["VI_2", "VI_5", "VI_9"])
    text = path.read_text()
    assert text.count('"in":"revise"') == 3
    assert '"in":"grow"' in text
    assert "geheim" not in text
