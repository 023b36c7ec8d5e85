"""What can be tracked: each keyword, its range, its default, and what a bad value does."""

from ipaddress import ip_address

import pytest

from config.tracking_text import (
    BFD,
    FILE,
    PROBE,
    PROCESS,
    SCRIPT,
    TRACKERS,
    block,
    codes,
    instance,
    read,
)
from fastvrrp import config
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config import Severity
from fastvrrp.config.model import (
    BfdInstance,
    Command,
    FileProbe,
    HttpProbe,
    InterfaceProbe,
    ParamMatch,
    ProbeTarget,
    ProcessDelays,
    ProcessProbe,
    TcpProbe,
    TrackFile,
    TrackProcess,
    UnixProbe,
)


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("", "timeout", None),
        ("interval 4294", "interval", seconds(4294)),
        ("interval 0.001", "interval", milliseconds(1)),
        ("timeout 3", "timeout", seconds(3)),
        ("weight -253", "weight", -253),
        ("weight 5 reverse", "reverse", True),
        ("rise 2147483647", "rise", 2**31 - 1),
        ("fall 3", "fall", 3),
        ("init_fail", "init_fail", True),
        (
            "user joe staff",
            "command",
            Command(argv=("/usr/bin/true",), user="joe", group="staff"),
        ),
    ],
)
def test_a_script_says(lines: str, field: str, value: object) -> None:
    (script,) = read(SCRIPT % lines).scripts
    assert getattr(script, field) == value


@pytest.mark.parametrize(
    ("line", "code", "field", "value"),
    [
        ("interval 0", "FV104", "interval", seconds(1)),
        ("interval 4295", "FV104", "interval", seconds(1)),
        ("interval 5\ninterval 1s", "FV103", "interval", seconds(5)),
        ("interval 5\ntimeout 0", "FV104", "timeout", seconds(1)),
        ("interval 1.0004", "FV216", "interval", seconds(1)),
        ("weight 254", "FV104", "weight", 253),
        ("weight -255", "FV104", "weight", 0),
        ("weight 7 backwards", "FV105", "weight", 7),
        ("rise 0", "FV104", "rise", 1),
        ("fall many", "FV103", "fall", 1),
    ],
)
def test_a_script_that_is_mistaken(line: str, code: str, field: str, value: object) -> None:
    (script,) = read(SCRIPT % line, code).scripts
    assert getattr(script, field) == value


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("", "weight", 1),
        ("", "init", None),
        ("weight 254", "weight", 254),
        ("weight -254 reverse", "reverse", True),
        ("init_file", "init", 0),
        ("init_file -5", "init", -5),
        ("init_file overwrite", "overwrite", True),
        ("init_file 5 overwrite", "init", 5),
        ("init_file 5", "overwrite", False),
    ],
)
def test_a_tracked_file_says(lines: str, field: str, value: object) -> None:
    (found,) = read(FILE % lines).files
    assert isinstance(found, TrackFile)
    assert (found.name, found.path) == ("f", "/run/f")
    assert getattr(found, field) == value


@pytest.mark.parametrize(
    ("line", "code", "field", "value"),
    [
        ("weight 255", "FV104", "weight", 1),
        ("weight", "FV103", "weight", 1),
        ("weight 3 backwards", "FV105", "weight", 3),
        ("file /run/g", "FV106", "path", "/run/f"),
        ("init_file 300", "FV104", "init", 300),
        ("init_file low", "FV103", "init", 0),
        ("init_file 5 low", "FV103", "init", 5),
        ("init_file 99999999999", "FV104", "init", None),
    ],
)
def test_a_tracked_file_that_is_mistaken(line: str, code: str, field: str, value: object) -> None:
    (found,) = read(FILE % line, code).files
    assert getattr(found, field) == value


def test_a_tracked_file_has_an_old_keyword() -> None:
    (found,) = read((FILE % "").replace("track_file", "vrrp_track_file"), "FV112").files
    assert found.name == "f"


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("", "full_command", False),
        ("", "param_match", ParamMatch.EXACT),
        ("", "quorum_max", None),
        ("full_command", "full_command", True),
        ("param_match", "full_command", True),
        ("param_match initial", "param_match", ParamMatch.INITIAL),
        ("param_match partial", "param_match", ParamMatch.PARTIAL),
        ("weight -254", "weight", -254),
        ("quorum 65535", "quorum", 65535),
        ("quorum 1\nquorum_max 0", "quorum_max", 0),
        ("delay 1.5", "delays", ProcessDelays(terminate=seconds(1.5), fork=seconds(1.5))),
        ("delay 2\nfork_delay 3", "delays", ProcessDelays(terminate=seconds(2), fork=seconds(3))),
        ("fork_delay 3\ndelay 2", "delays", ProcessDelays(terminate=seconds(2), fork=seconds(2))),
        ("terminate_delay 3600", "delays", ProcessDelays(terminate=seconds(3600))),
        ("fork_delay 0.000001", "delays", ProcessDelays(fork=Nanoseconds(1000))),
    ],
)
def test_a_tracked_process_says(lines: str, field: str, value: object) -> None:
    (found,) = read(PROCESS % lines).processes
    assert isinstance(found, TrackProcess)
    assert getattr(found, field) == value


def test_parameters_of_a_process_are_words_of_their_own() -> None:
    text = 'vrrp_track_process p {\nprocess "my program" -c "a b" ""\n}\n'
    (found,) = read(text).processes
    assert (found.command, found.full_command) == (("my program", "-c", "a b", ""), True)


@pytest.mark.parametrize(
    ("line", "code", "field", "value"),
    [
        ("weight 255", "FV104", "weight", 0),
        ("weight", "FV103", "weight", 0),
        ("quorum 0", "FV104", "quorum", 1),
        ("quorum_max 65536", "FV104", "quorum_max", None),
        ("quorum 3\nquorum_max 2", "FV250", "quorum_max", None),
        ("quorum_max 4\nquorum 5", "FV250", "quorum", 1),
        ("quorum_max 0\nquorum 1", "FV250", "quorum_max", 0),
        ("delay 0", "FV104", "delays", ProcessDelays()),
        ("delay 3600.1", "FV104", "delays", ProcessDelays()),
        ("param_match all", "FV103", "param_match", ParamMatch.EXACT),
        ("process other", "FV106", "command", ("nginx",)),
    ],
)
def test_a_tracked_process_that_is_mistaken(
    line: str, code: str, field: str, value: object
) -> None:
    (found,) = read(PROCESS % line, code).processes
    assert getattr(found, field) == value


def test_a_process_known_by_its_name_has_no_path() -> None:
    text = (PROCESS % "").replace("nginx", "/usr/sbin/nginx")
    assert "FV350" in codes(read(text), Severity.NOTE)
    for more in ("full_command", "param_match"):
        text = (PROCESS % more).replace("nginx", "/usr/sbin/nginx")
        assert "FV350" not in codes(read(text), Severity.NOTE)


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("tcp 127.0.0.1:80", TcpProbe(address=ip_address("127.0.0.1"), port=80)),
        ("tcp localhost:65535", TcpProbe(address=ip_address("127.0.0.1"), port=65535)),
        ("tcp [2001:db8::1]:1", TcpProbe(address=ip_address("2001:db8::1"), port=1)),
        ("http http://192.0.2.1", HttpProbe(address=ip_address("192.0.2.1"))),
        (
            "http http://[::1]:8080/a?b=c 204",
            HttpProbe(address=ip_address("::1"), port=8080, path="/a?b=c", status=204),
        ),
        ("unix /run/app.sock", UnixProbe(path="/run/app.sock")),
        ("process nginx", ProcessProbe(process="nginx")),
        ("file /run/alive", FileProbe(path="/run/alive")),
        ("file /run/alive 2.5", FileProbe(path="/run/alive", max_age=seconds(2.5))),
        ("interface eth7", InterfaceProbe(interface="eth7")),
    ],
)
def test_a_probe_looks_at(line: str, target: ProbeTarget) -> None:
    (found,) = read(f"vrrp_probe w {{\n{line}\n}}\n").probes
    assert found.target == target
    (again,) = read(config.loads(f"vrrp_probe w {{\n{line}\n}}\n").to_text()).probes
    assert again.target == target


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("interval 2", "FV201"),
        ("tcp www.example.org:80", "FV103"),
        ("tcp 192.0.2.1", "FV103"),
        ("tcp 2001:db8::1:80", "FV103"),
        ("tcp [fe80::1%eth0]:80", "FV103"),
        ("tcp 192.0.2.1:0", "FV104"),
        ("tcp 192.0.2.1:65536", "FV104"),
        ("http 192.0.2.1", "FV103"),
        ("http https://192.0.2.1/", "FV103"),
        ("http http://www.example.org/", "FV103"),
        ("http http://192.0.2.1:99999999999/", "FV104"),
        ("http http://192.0.2.1/ 99", "FV104"),
        ("unix app.sock", "FV103"),
        (f"unix /{'x' * 107}", "FV104"),
        ("process /usr/sbin/nginx", "FV103"),
        ("file alive", "FV103"),
        ("file /run/alive 0", "FV104"),
    ],
)
def test_a_probe_that_looks_at_nothing_is_left_out(line: str, code: str) -> None:
    assert read(f"vrrp_probe w {{\n{line}\n}}\n", code).probes == ()


def test_names_of_hosts_are_not_looked_up_and_the_author_is_told() -> None:
    loaded = config.loads("vrrp_probe w {\ntcp www.example.org:80\n}\n")
    found = next(one for one in loaded.diagnostics if one.code == "FV103")
    assert found.message == "www.example.org is no IP address, and names are not looked up here"
    assert found.hint == "write its address, or localhost"


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("", "interval", seconds(1)),
        ("", "timeout", None),
        ("interval 0.01", "interval", milliseconds(10)),
        ("timeout 3600", "timeout", seconds(3600)),
        ("weight -253 reverse", "weight", -253),
        ("weight 5 reverse", "reverse", True),
        ("rise 3", "rise", 3),
        ("fall 2147483647", "fall", 2**31 - 1),
        ("init_fail", "init_fail", True),
    ],
)
def test_a_probe_says(lines: str, field: str, value: object) -> None:
    (found,) = read(PROBE % lines).probes
    assert getattr(found, field) == value


@pytest.mark.parametrize(
    ("line", "code", "field", "value"),
    [
        ("interval 0.009", "FV104", "interval", seconds(1)),
        ("timeout 0", "FV104", "timeout", None),
        ("weight 254", "FV104", "weight", 253),
        ("rise 0", "FV104", "rise", 1),
    ],
)
def test_a_probe_that_is_mistaken(line: str, code: str, field: str, value: object) -> None:
    (found,) = read(PROBE % line, code).probes
    assert getattr(found, field) == value


def test_a_probe_looks_at_the_last_of_two_things_and_the_author_is_told() -> None:
    loaded = config.loads(PROBE % "unix /run/app.sock")
    assert loaded.probes[0].target == UnixProbe(path="/run/app.sock")
    assert "FV106" in codes(loaded, Severity.NOTE)


def test_a_probe_that_nothing_tracks_never_runs() -> None:
    assert "FV213" in codes(read(PROBE % "" + instance()), Severity.NOTE)
    used = PROBE % "" + instance(body=block("track_probe", "w"))
    assert "FV213" not in codes(read(used), Severity.NOTE)


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("", "neighbor", ip_address("192.0.2.254")),
        ("", "min_rx", milliseconds(10)),
        ("", "ttl", None),
        ("source_ip 192.0.2.1", "source", ip_address("192.0.2.1")),
        ("min_rx 1", "min_rx", milliseconds(1)),
        ("min_tx 1.5", "min_tx", Nanoseconds(1_500_000)),
        ("min_tx 4294967", "min_tx", milliseconds(4_294_967)),
        ("idle_tx 1000.001", "idle_tx", Nanoseconds(1_000_001_000)),
        ("multiplier 255", "multiplier", 255),
        ("passive", "passive", True),
        ("ttl 1", "ttl", 1),
        ("hoplimit 255", "ttl", 255),
        ("max_hops 3", "max_hops", 3),
        ("max_hops -1", "max_hops", 255),
        ("multihop", "multihop", True),
        ("multihop off", "multihop", False),
        ("weight -253 reverse", "weight", -253),
        ("vrrp", "for_vrrp", True),
        ("checker", "for_checker", True),
    ],
)
def test_a_bfd_session_says(lines: str, field: str, value: object) -> None:
    (found,) = read(BFD % lines).bfd_instances
    assert isinstance(found, BfdInstance)
    assert getattr(found, field) == value


@pytest.mark.parametrize(
    ("line", "code", "field", "value"),
    [
        ("min_rx 0.9", "FV104", "min_rx", milliseconds(10)),
        ("min_rx 4294968", "FV104", "min_rx", milliseconds(10)),
        ("min_rx 10ms", "FV103", "min_rx", milliseconds(10)),
        ("min_rx 1.0005", "FV216", "min_rx", Nanoseconds(1_001_000)),
        ("idle_tx 999", "FV104", "idle_tx", seconds(1)),
        ("multiplier 0", "FV104", "multiplier", 5),
        ("ttl 0", "FV104", "ttl", None),
        ("max_hops -2", "FV104", "max_hops", 0),
        ("ttl 5\nmax_hops 9", "FV252", "max_hops", 5),
        ("weight 254", "FV104", "weight", 0),
        ("weight 3 backwards", "FV105", "weight", 3),
        ("source_ip x", "FV103", "source", None),
    ],
)
def test_a_bfd_session_that_is_mistaken(line: str, code: str, field: str, value: object) -> None:
    (found,) = read(BFD % line, code).bfd_instances
    assert getattr(found, field) == value


def test_ipv6_sessions_have_a_smaller_hop_limit() -> None:
    text = "bfd_instance d {\nneighbor_ip 2001:db8::1\nmax_hops %d\n}\n"
    assert read(text % 64).bfd_instances[0].max_hops == 64
    assert read(text % 65, "FV252").bfd_instances[0].max_hops == 64


def test_long_intervals_are_told_in_seconds() -> None:
    assert "FV104" in codes(read(BFD % "min_tx 10001"), Severity.NOTE)
    assert "FV104" not in codes(read(BFD % "min_tx 10000"), Severity.NOTE)


def test_a_bfd_session_is_left_out() -> None:
    assert read(BFD % "source_ip 2001:db8::1", "FV251").bfd_instances == ()
    assert read("bfd_instance d {\npassive\n}\n", "FV201").bfd_instances == ()
    name = "d" * 32
    assert read((BFD % "").replace(" d ", f" {name} "), "FV104").bfd_instances == ()
    assert read((BFD % "").replace(" d ", f" {name[1:]} ")).bfd_instances != ()


def test_the_second_session_with_a_neighbour_is_left_out() -> None:
    other = (BFD % "%s").replace(" d ", " e ")
    (found,) = read(BFD % "" + other % "", "FV253").bfd_instances
    assert found.name == "d"
    for difference in ("multihop", "source_ip 192.0.2.9"):
        assert len(read(BFD % "" + other % difference).bfd_instances) == 2


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("vrrp_script s {\ninterval 1\n}\n", "scripts"),
        ("track_file f {\nweight 1\n}\n", "files"),
        ("vrrp_track_process p {\nquorum 1\n}\n", "processes"),
    ],
)
def test_what_names_nothing_to_look_at_is_left_out(text: str, field: str) -> None:
    assert getattr(read(text, "FV201"), field) == ()


def test_only_the_definition_changes_nothing() -> None:
    loaded = read(TRACKERS + instance())
    assert loaded.unsupported == ()
    assert codes(loaded, Severity.NOTE).count("FV110") == 1  # BFD
