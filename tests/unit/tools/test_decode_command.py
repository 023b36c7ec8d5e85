"""`fastvrrp decode` from its command line to its output."""

import io
import json
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from fastvrrp.tools.cli import main
from fastvrrp.wire.advert import layout

VECTORS = [
    json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[2] / "vectors").glob("*.json"))
]
PLAIN = "45c0002800010000ff70d0880a090001e00000122133c80100010c5d0a0900640000000000000000"
PASSWORD = "s3cr3tPw"


def arguments(vector: dict[str, Any]) -> list[str]:
    """The command line that asks the receiver of a vector."""
    receiver = vector["receiver"]
    # the vectors of the auth_hmac draft name no mode
    mode = "auto" if "auth_hmac" in receiver else "multicast"
    words = ["decode", "--json", "--mode", receiver.get("mode", mode)]
    if "auth_type" in receiver:
        words += ["--auth", f"{receiver['auth_type'].lower()}:{receiver['auth_pass']}"]
    if "version" in receiver:
        words += ["--vrrp-version", str(receiver["version"])]
    if "vrid" in receiver:
        words += ["--vrid", str(receiver["vrid"])]
    if "interval_ms" in receiver:
        words += ["--interval", str(receiver["interval_ms"] / 1000)]
    if "auth_hmac" in receiver:
        hmac = receiver["auth_hmac"]
        words += ["--hmac-key", f"{hmac['key_id']}:hex:{hmac['key_hex']}"]
    if "full_ip_packet_hex" in vector:
        return [*words, vector["full_ip_packet_hex"]]
    words += ["--payload", "--src", vector["src"], "--dst", vector["dst"]]
    return [*words, "--ttl", str(vector["ttl"]), vector["payload_hex"]]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["src"]], ids=lambda v: v["name"])
def test_every_vector_gets_its_verdict(
    vector: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(arguments(vector))
    output, errors = capsys.readouterr()
    told, expect = json.loads(output), vector["expect"]
    assert errors == ""
    assert status == (0 if told["valid"] else 1)
    assert told["valid"] == (told["reason"] is None)
    if expect["valid"] is not None:
        assert told["valid"] == expect["valid"]
    if told["version"] in (2, 3):
        keys = ("vrid", "priority", "interval_ms", "addresses")
        assert {key: told[key] for key in keys} == {key: expect[key] for key in keys}
    assert list(told) == [
        "valid", "reason", "version", "vrid", "priority", "interval_ms", "addresses", "auth",
        "hmac", "src", "dst", "ttl",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "0x" + PLAIN.upper(),
        " ".join(re.findall("....", PLAIN)),
        ":".join(re.findall("..", PLAIN)),
        "\n".join(re.findall(".{1,32}", PLAIN)),
        " ".join("0x" + byte for byte in re.findall("..", PLAIN)),
        "IP 10.9.0.1 > 224.0.0.18: VRRPv2, Advertisement\n"
        "\t0x0000:  45c0 0028 0001 0000 ff70 d088 0a09 0001  E..(.....p......\n"
        "\t0x0010:  e000 0012 2133 c801 0001 0c5d 0a09 0064  ....!3.....]...d\n"
        "\t0x0020:  0000 0000 0000 0000                      ........",
        "00000000: 45c0 0028 0001 0000 ff70 d088 0a09 0001  E..(.....p......\n"
        "00000010: e000 0012 2133 c801 0001 0c5d 0a09 0064  ....!3.....]...d\n"
        "00000020: 0000 0000 0000 0000                      ........",
    ],
    ids=["plain", "0x", "blanks", "colons", "newlines", "0x-bytes", "tcpdump", "xxd"],
)
def test_hex_is_read_as_tools_write_it(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", text]) == 0
    assert capsys.readouterr().out == (
        "valid: 10.9.0.1 > 224.0.0.18, ttl 255, VRRPv2 vrid 51 priority 200, interval 1 s,"
        " auth none, addresses 10.9.0.100\n"
    )


def test_an_unquoted_packet_is_one_packet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", *re.findall("....", PLAIN)]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_rejected_packet_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", PLAIN, PLAIN.replace("ff70", "fe70")]) == 1
    valid, rejected = capsys.readouterr().out.splitlines()
    assert valid.startswith("valid: ")
    assert rejected.startswith("rejected (ttl: the TTL is not 255): 10.9.0.1 > 224.0.0.18, ttl 254")


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input_has_a_packet_per_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(monkeypatch, f"{PLAIN}\n\n45:c0\n".encode())
    assert main(["decode", "-"]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("1: valid")
    assert second == "2: rejected (ip_header: the IP header is incomplete): ? > ?"


def test_standard_input_may_be_several_dumps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = f"12:00:00.1 IP a > b:\n\t0x0000:  {PLAIN[:32]}\n\t0x0010:  {PLAIN[32:]}\n"
    feed(monkeypatch, dump.encode() * 2)
    assert main(["decode", "-"]) == 0
    assert capsys.readouterr().out.count("valid") == 2


def test_a_password_is_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    packet = layout(
        family=4,
        version=2,
        vrid=1,
        priority=1,
        interval_ns=1_000_000_000,
        addresses=[bytes(4)],
        src=IPv4Address("10.1.0.1").packed,
        dst=IPv4Address("224.0.0.18").packed,
        auth_type=1,
        password=PASSWORD.encode(),
    ).data.hex()
    assert main(["decode", "--auth", f"pass:{PASSWORD}", packet]) == 0
    assert main(["decode", "--json", "--auth", f"pass:{PASSWORD}", packet]) == 0
    assert main(["decode", "--auth", f"ah:{PASSWORD}", packet]) == 1
    assert main(["decode", packet]) == 1
    with pytest.raises(SystemExit):
        main(["decode", "--auth", f"plain:{PASSWORD}", packet])
    output, errors = capsys.readouterr()
    assert "auth_mismatch" in output
    assert PASSWORD not in output + errors


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["zz"], "'z' is no hexadecimal digit"),
        ([""], "there are no hexadecimal digits here: give a whole packet in hex"),
        (["0x"], "there are no hexadecimal digits here"),
        ([" : "], "there are no hexadecimal digits here"),
        (["/dev"], "/dev: Is a directory"),
        (["45c"], "3 hexadecimal digits are no whole bytes"),
        (["absent.pcap"], "absent.pcap: No such file or directory"),
        (["--payload", "2133"], "--payload needs --src and --dst"),
        (["--ttl", "255", PLAIN], "--src, --dst and --ttl go with --payload"),
        (["--payload", "--src", "10.0.0.1", "--dst", "ff02::12", "31"], "of one family"),
        (
            ["--payload", "--src", "10.0.0.1", "--dst", "10.0.0.2", "--auth", "ah:x", "21"],
            "give the whole IP packet, without --payload",
        ),
        (["0x0000: 45c0\n0x0010: 0000"], "gap before offset 0x0010"),
    ],
)
def test_a_wrong_command_says_what_to_do(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", *words]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("fastvrrp decode: ")
    assert hint in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["decode"],
        ["decode", "--vrid", "0", PLAIN],
        ["decode", "--vrid", "256", PLAIN],
        ["decode", "--interval", "nan", PLAIN],
        ["decode", "--auth", "pass:", PLAIN],
        ["decode", "--src", "host", PLAIN],
        ["decode", "--ttl", "-1", PLAIN],
    ],
)
def test_arguments_out_of_range_are_usage_errors(words: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2


# ---- captures ----

OTHER = "4500001c0001000040110000" + "0a0900010a090002" + "0000000000000000"  # UDP


def pcap(
    link_type: int, frames: list[bytes], *, order: str = "<", magic: int = 0xA1B2C3D4
) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    return head + b"".join(
        struct.pack(order + "IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames
    )


def pcapng(link_type: int, frames: list[bytes], *, order: str = "<") -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + length + body + length

    section = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = block(1, struct.pack(order + "HHI", link_type, 0, 0))
    return (
        section
        + interface
        + b"".join(
            block(6, struct.pack(order + "5I", 0, 0, 0, len(frame), len(frame)) + frame)
            for frame in frames
        )
    )


ETHERNET = bytes.fromhex("01005e000012 020000000001 0800")
VLAN = bytes.fromhex("01005e000012 020000000001 81000064 0800")
SLL = bytes.fromhex("0004 0001 0006 0200000000010000 0800")
SLL2 = bytes.fromhex("0800 0000 00000002 0001 00 06 0200000000010000")


@pytest.mark.parametrize(
    ("link_type", "header"),
    [
        (1, ETHERNET),
        (1, VLAN),
        (101, b""),
        (12, b""),
        (113, SLL),
        (276, SLL2),
        (0, struct.pack("<I", 2)),
        (0, struct.pack(">I", 2)),
    ],
)
def test_captures_of_every_link_type_are_read(
    link_type: int, header: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [header + bytes.fromhex(text) for text in (OTHER, PLAIN)]
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(link_type, frames))
    assert main(["decode", str(path)]) == 0
    output, errors = capsys.readouterr()
    assert output.startswith("2: valid: 10.9.0.1 > 224.0.0.18")
    assert errors == f"{path}: 1 packets that are not VRRP were skipped\n"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", ["micro", "nano", "pcapng"])
def test_captures_of_every_form_are_read(
    order: str, form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [ETHERNET + bytes.fromhex(PLAIN) + bytes(6)] * 2
    if form == "pcapng":
        data = pcapng(1, frames, order=order)
    else:
        magic = 0xA1B2C3D4 if form == "micro" else 0xA1B23C4D
        data = pcap(1, frames, order=order, magic=magic)
    feed(monkeypatch, data)
    assert main(["decode", "-"]) == 0
    assert capsys.readouterr().out.count(": valid: ") == 2


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_capture_is_known_by_its_beginning(
    form: Callable[[int, list[bytes]], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "capture.dump"
    path.write_bytes(form(101, [bytes.fromhex(PLAIN)]))
    assert main(["decode", str(path)]) == 0
    assert capsys.readouterr().out.startswith("1: valid: 10.9.0.1 > 224.0.0.18")


def test_other_file_is_no_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.txt"
    path.write_text(PLAIN)
    assert main(["decode", str(path)]) == 2
    assert (
        "give a packet in hex, - for standard input, or a capture file" in capsys.readouterr().err
    )


def test_packet_may_be_called_as_a_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(PLAIN).touch()
    assert main(["decode", PLAIN]) == 0
    assert capsys.readouterr().out.startswith("valid: ")


def test_full_disk_is_told_without_a_traceback() -> None:
    script = "import sys; from fastvrrp.tools.cli import main; sys.exit(main())"
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [sys.executable, "-c", script, "decode", PLAIN],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (run.returncode, run.stderr) == (1, b"fastvrrp: cannot write: No space left on device\n")


def test_ah_and_ipv6_are_found_in_a_capture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("cap-keepalived-2.4.3-v2-ah-0", "cap-keepalived-2.4.3-v3-ipv6-0")
    chosen = [v for v in VECTORS if v["name"] in names]
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(101, [bytes.fromhex(v["full_ip_packet_hex"]) for v in chosen]))
    assert main(["decode", str(path)]) == 1
    ah, ipv6 = capsys.readouterr().out.splitlines()
    assert "rejected (auth_mismatch" in ah
    assert "2: valid: fe80::" in ipv6


@pytest.mark.parametrize(
    ("capture", "hint"),
    [
        (b"", "neither pcap nor pcapng"),
        (pcap(1, [])[:20], "ends inside its header"),
        (pcap(105, [bytes(40)]), "link type 105 is not supported"),
        (pcap(101, [bytes.fromhex(OTHER)])[:-1], "cut off in the middle of a packet"),
        (pcap(101, [bytes.fromhex(OTHER)]), "no VRRP packet was found"),
        (pcap(101, []) + bytes(7), "cut off in the middle of a record"),
        (pcapng(1, [bytes(60)])[:-8], "cut off"),
        (pcapng(1, [])[:28] + struct.pack("<III", 6, 13, 0), "cannot have 13 bytes"),
        (pcapng(1, [])[:28] + struct.pack("<8I", 6, 32, 5, 0, 0, 0, 0, 32), "names interface 5"),
    ],
)
def test_a_broken_capture_is_explained(
    capture: bytes, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(capture)
    assert main(["decode", str(path)]) == 2
    assert hint in capsys.readouterr().err


def test_payload_and_capture_exclude_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(101, []))
    assert main(["decode", "--payload", "--src", "::1", "--dst", "::2", str(path)]) == 2
    assert "leave out --payload" in capsys.readouterr().err


def test_help_teaches_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["decode", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    example = re.search(r"fastvrrp decode (45c0\w+)", text)
    assert example
    assert main(["decode", example[1]]) == 0


def test_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert re.fullmatch(r"fastvrrp \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


SIGNED = next(v for v in VECTORS if v["name"] == "cap-keepalived-2.4.3-v3-hmac-ipv4-0")
KEY = SIGNED["receiver"]["auth_hmac"]["key_hex"]


def test_a_trailer_is_shown_and_checked(capsys: pytest.CaptureFixture[str]) -> None:
    packet = SIGNED["full_ip_packet_hex"]
    what = "hmac key 1 time 2026-11-23T15:55:20.240Z counter 0 digest"
    assert main(["decode", packet]) == 1
    assert capsys.readouterr().out.startswith("rejected (auth_mismatch: ")
    for keys, verdict, word in (
        ([f"1:hex:{KEY}"], "valid", "right"),
        (["2:" + "k" * 32, f"1:hex:{KEY}"], "valid", "right"),
        (["1:" + "k" * 32], "rejected (hmac_invalid", "wrong"),
        ([f"2:hex:{KEY}"], "rejected (hmac_key", "not checked"),
    ):
        options = [word for key in keys for word in ("--hmac-key", key)]
        assert main(["decode", *options, packet]) == (0 if verdict == "valid" else 1)
        told = capsys.readouterr().out
        assert told.startswith(verdict)
        assert f"{what} {word}" in told


def test_a_trailer_is_part_of_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["decode", "--json", "--hmac-key", f"1:hex:{KEY}", SIGNED["full_ip_packet_hex"]]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)["hmac"]
    assert told == {
        "key_id": 1, "time": "2026-11-23T15:55:20.240Z", "counter": 0, "authentic": True,
    }  # fmt: skip


def test_a_key_can_be_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "vrrp.key"
    path.write_text(f"hex:{KEY}\n")
    assert main(["decode", "--hmac-key", f"1:file:{path}", SIGNED["full_ip_packet_hex"]]) == 0
    assert "digest right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("Xyzzy42q", "write ID:KEY"),
        ("0:Xyzzy42q", "write ID:KEY"),
        ("256:Xyzzy42q", "write ID:KEY"),
        ("1:Xyzzy42q", "this one 8"),
        ("1:hex:Xyzzy42q", "no hexadecimal number"),
        ("1:file:/nonexistent", "No such file"),
    ],
)
def test_a_wrong_key_is_explained_and_not_shown(
    key: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["decode", "--hmac-key", key, PLAIN])
    assert caught.value.code == 2
    errors = capsys.readouterr().err
    assert why in errors
    assert "Xyzzy" not in errors
