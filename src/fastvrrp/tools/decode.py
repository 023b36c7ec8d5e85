"""`fastvrrp decode`: what the receive path makes of a packet, and why it rejects it."""

import argparse
import json
import math
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from fastvrrp.core.acts import HmacParams
from fastvrrp.keys import KeyFileError, parse_key, read_key_file
from fastvrrp.secret import Secret
from fastvrrp.tools.pcap import CaptureError, ip_packets, is_capture, is_vrrp
from fastvrrp.wire.advert import decode_packet
from fastvrrp.wire.values import Decoded, Trailer

__all__ = ["add_parser", "run"]

VALID, REJECTED, USAGE = 0, 1, 2

_AUTH_TYPES = {"pass": 1, "ah": 2}
_CAPTURE_SUFFIXES = (".pcap", ".pcapng", ".cap")
# 0x0010:  (tcpdump -x)  or  00000010:  (xxd); what stands behind two blanks is the same in letters
_DUMP_LINE = re.compile(r"\s*(?:0x)?([0-9a-fA-F]{4,8}):\s+(\S.*)")

_DESCRIPTION = """\
Show what fastvrrp makes of VRRP packets: the fields of each, and whether a virtual router
would use it or why it would not. The same code decides as in the running daemon.

The receiver that is asked follows the packet: its VRID, its version and its interval are taken
to be the configured ones, and a packet to a multicast group meets a multicast router (which
wants TTL 255), any other a unicast one. The options describe another receiver. Without --auth
the receiver has no authentication, and an authenticated packet is rejected as auth_mismatch.
With --hmac-key it wants the trailer of auth_hmac, of any time; without, such a packet is too long.
"""

_EPILOG = """\
PACKET is one of
  HEX          a whole IPv4 or IPv6 packet; blanks, colons, 0x, and the offsets of `tcpdump -x` and
               `xxd` are understood
  -            standard input: such packets, one a line or as a dump, or a capture
  FILE         a capture (pcap or pcapng); packets that are not VRRP are skipped and counted

examples:
  fastvrrp decode 45c0002800010000ff70d0880a090001e00000122133c80100010c5d0a0900640000000000000000
  tcpdump -ni eth0 -c1 -x vrrp | fastvrrp decode -
  fastvrrp decode --auth ah:s3cr3tPw --interval 1 capture.pcap
  fastvrrp decode --hmac-key 1:file:/etc/keepalived/vrrp.key capture.pcap
  fastvrrp decode --payload --src 10.1.0.1 --dst 10.1.0.2 31069601006419a80a01006a

exit status: 0 every packet is valid, 1 one is rejected, 2 wrong command or no packet

A password or a key on a command line can be read by other users of the host while the command runs.
"""


class InputError(ValueError):
    """What was given cannot be decoded; the text tells what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """`--auth`: the type on the wire and the password."""

    type: int
    password: Secret


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `decode` to the subcommands of `fastvrrp`."""
    parser = commands.add_parser(
        "decode",
        help="explain VRRP packets and whether they would be accepted",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("packets", metavar="PACKET", nargs="+", help="HEX, - or FILE, see below")
    parser.add_argument("--json", action="store_true", help="print one JSON object per packet")
    receiver = parser.add_argument_group("the receiver")
    receiver.add_argument(
        "--auth",
        type=_auth,
        metavar="pass:SECRET|ah:SECRET",
        help="authentication and its password, of which 8 bytes count (version 2 only)",
    )
    receiver.add_argument(
        "--hmac-key",
        type=_hmac_key,
        action="append",
        default=[],
        metavar="ID:KEY",
        help="a key of its auth_hmac: its number, and 32 to 64 bytes as text, hex:DIGITS or "
        "file:PATH; may be repeated",
    )
    receiver.add_argument(
        "--mode",
        choices=("auto", "multicast", "unicast"),
        default="auto",
        help="how it expects adverts (default: as the packet's destination says)",
    )
    receiver.add_argument("--vrid", type=_vrid, metavar="N", help="its virtual_router_id, 1 to 255")
    receiver.add_argument("--vrrp-version", type=int, choices=(2, 3), help="its VRRP version")
    receiver.add_argument(
        "--interval",
        type=_interval,
        metavar="SECONDS",
        help="its advert_int: a version 2 packet of another interval is rejected",
    )
    bare = parser.add_argument_group("packets without IP header")
    bare.add_argument(
        "--payload",
        action="store_true",
        help="HEX is the VRRP message alone; needs --src and --dst",
    )
    bare.add_argument(
        "--src", type=_address, metavar="ADDRESS", help="source address of the packet"
    )
    bare.add_argument(
        "--dst", type=_address, metavar="ADDRESS", help="destination address of the packet"
    )
    bare.add_argument("--ttl", type=_ttl, metavar="N", help="TTL or hop limit (default: 255)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Decode every packet of the command line; returns the exit status."""
    seen = rejected = 0
    try:
        _check_options(options)
        for label, packet in _packets(options):
            decoded = _decode(packet, options)
            seen += 1
            rejected += not decoded.valid
            print(_to_json(decoded) if options.json else label + _to_line(decoded))
        if not seen:
            raise InputError("no VRRP packet was found: is it the right capture or interface?")
    except InputError as error:
        print(f"fastvrrp decode: {error}", file=sys.stderr)
        return USAGE
    return REJECTED if rejected else VALID


# ---- the command line ----


def _auth(text: str) -> Auth:
    name, _, password = text.partition(":")
    if name not in _AUTH_TYPES or not password:  # the text itself may be a secret
        raise argparse.ArgumentTypeError("write pass:SECRET or ah:SECRET")
    return Auth(type=_AUTH_TYPES[name], password=Secret(os.fsencode(password)))


def _hmac_key(text: str) -> tuple[int, Secret]:
    number, colon, key = text.partition(":")
    if not (colon and number.isascii() and number.isdigit() and 1 <= int(number) <= 255):
        raise argparse.ArgumentTypeError("write ID:KEY, where ID is a number from 1 to 255")
    try:
        written = key.startswith("file:")
        data = read_key_file(key.removeprefix("file:"))[0] if written else os.fsencode(key)
        return int(number), Secret(parse_key(data))
    except KeyFileError as error:
        raise argparse.ArgumentTypeError(f"key {number}: {error}") from None


def _number(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
    return int(text)


def _vrid(text: str) -> int:
    return _number(text, 1, 255)


def _ttl(text: str) -> int:
    return _number(text, 0, 255)


def _interval(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.01 <= value <= 255:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.01 to 255")
    return round(value * 100) * 10_000_000


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no IPv4 or IPv6 address") from None


def _check_options(options: argparse.Namespace) -> None:
    if len(options.hmac_key) > HmacParams.MAX_KEYS:
        raise InputError(f"--hmac-key can be given {HmacParams.MAX_KEYS} times")
    if not options.payload:
        if options.src or options.dst or options.ttl is not None:
            raise InputError("--src, --dst and --ttl go with --payload: an IP packet has its own")
        return
    if options.src is None or options.dst is None:
        raise InputError("--payload needs --src and --dst, which the checksum and the checks use")
    if options.src.version != options.dst.version:
        raise InputError("--src and --dst must be of one family, IPv4 or IPv6")
    if options.auth and options.auth.type == _AUTH_TYPES["ah"]:
        raise InputError("AH covers the IP header: give the whole IP packet, without --payload")


# ---- packets ----


def _packets(options: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    """Yield a label (empty for a packet that the user typed) and the bytes of each packet."""
    arguments = options.packets
    if len(arguments) > 1 and all(len(argument) <= 8 and argument != "-" for argument in arguments):
        arguments = [" ".join(arguments)]  # one packet, unquoted
    for argument in arguments:
        if argument == "-":
            yield from _stream_packets(sys.stdin.buffer.read(), options)
        elif (capture := _capture(argument)) is not None:
            yield from _capture_packets(argument, capture, options)
        else:
            for packet in _dump_packets(argument.splitlines()) or [_hex(argument)]:
                yield "", packet


def _stream_packets(data: bytes, options: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    if is_capture(data):
        yield from _capture_packets("standard input", data, options)
        return
    lines = data.decode("ascii", "replace").splitlines()
    packets = _dump_packets(lines) or [_hex(line) for line in lines if line.strip()]
    for number, packet in enumerate(packets, 1):
        yield f"{number}: ", packet


def _capture(argument: str) -> bytes | None:
    """Return the capture in a file: what is called so, or begins so whatever it is called."""
    if argument.endswith(_CAPTURE_SUFFIXES):
        return _read(argument)
    data = _read(argument) if os.path.exists(argument) else b""
    return data if is_capture(data) else None


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def _dump_packets(lines: list[str]) -> list[bytes]:
    """Return the packets of a dump with offsets, of which 0 starts a packet.

    Empty when no line has an offset; lines without one are the summaries of tcpdump.
    """
    packets: list[bytes] = []
    for match in filter(None, map(_DUMP_LINE.fullmatch, lines)):
        offset = int(match[1], 16)
        if offset == 0:
            packets.append(b"")
        if not packets or offset != len(packets[-1]):
            raise InputError(
                f"the dump has a gap before offset 0x{offset:04x}: give all of its lines"
            )
        packets[-1] += _hex(match[2].split("  ")[0])
    return packets


def _hex(text: str) -> bytes:
    digits = re.sub(r"0[xX]|[\s:]", "", text)
    wrong = re.search(r"[^0-9a-fA-F]", digits)
    if wrong:
        raise InputError(
            f"{wrong[0]!r} is no hexadecimal digit: give a packet in hex, - for standard input,"
            " or a capture file"
        )
    if not digits:
        raise InputError("there are no hexadecimal digits here: give a whole packet in hex")
    if len(digits) % 2:
        raise InputError(f"{len(digits)} hexadecimal digits are no whole bytes: one is missing")
    return bytes.fromhex(digits)


def _capture_packets(
    name: str, capture: bytes, options: argparse.Namespace
) -> Iterator[tuple[str, bytes]]:
    if options.payload:
        raise InputError(f"{name}: the packets of a capture have IP headers: leave out --payload")
    skipped = 0
    try:
        for number, packet in enumerate(ip_packets(capture), 1):
            if packet is not None and is_vrrp(packet):
                yield f"{number}: ", packet
            else:
                skipped += 1
    except CaptureError as error:
        raise InputError(f"{name}: {error}") from None
    if skipped:
        print(f"{name}: {skipped} packets that are not VRRP were skipped", file=sys.stderr)


# ---- verdicts ----


def _decode(packet: bytes, options: argparse.Namespace) -> Decoded:
    is_ipv6 = options.src.version == 6 if options.payload else packet[:1].hex().startswith("6")
    auth: Auth | None = options.auth
    return decode_packet(
        packet,
        family=6 if is_ipv6 else 4,
        payload=options.payload,
        src=options.src,
        dst=options.dst,
        ttl=255 if options.ttl is None else options.ttl,
        version=options.vrrp_version,
        vrid=options.vrid,
        interval_ns=options.interval,
        unicast=None if options.mode == "auto" else options.mode == "unicast",
        auth_type=auth.type if auth else 0,
        password=auth.password.reveal() if auth else b"",
        hmac_keys=[(number, key.reveal()) for number, key in options.hmac_key],
    )


def _time(trailer: Trailer) -> str:
    """Return the sender's clock, in the first 136 years of Unix."""
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=trailer.time_ns // 1000)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _to_json(decoded: Decoded) -> str:
    interval = decoded.interval_ns
    return json.dumps(
        {
            "valid": decoded.valid,
            "reason": None if decoded.valid else decoded.reason.key,
            "version": decoded.version,
            "vrid": decoded.vrid,
            "priority": decoded.priority,
            "interval_ms": None if interval is None else interval // 1_000_000,
            "addresses": None if decoded.addresses is None else [str(a) for a in decoded.addresses],
            "auth": decoded.auth,
            "hmac": None if decoded.trailer is None else _trailer_json(decoded.trailer),
            "src": None if decoded.src is None else str(decoded.src),
            "dst": None if decoded.dst is None else str(decoded.dst),
            "ttl": decoded.ttl,
        }
    )


def _trailer_json(trailer: Trailer) -> dict[str, object]:
    return {
        "key_id": trailer.key_id,
        "time": _time(trailer),
        "counter": trailer.counter,
        "authentic": trailer.authentic,
    }


def _trailer_words(trailer: Trailer) -> str:
    verdict = {True: "right", False: "wrong", None: "not checked"}[trailer.authentic]
    what = f"hmac key {trailer.key_id} time {_time(trailer)} counter {trailer.counter}"
    return f"{what} digest {verdict}"


def _to_line(decoded: Decoded) -> str:
    reason = decoded.reason
    verdict = "valid" if decoded.valid else f"rejected ({reason.key}: {reason.text})"
    parts = [f"{decoded.src or '?'} > {decoded.dst or '?'}"]
    if decoded.ttl is not None:
        parts.append(f"ttl {decoded.ttl}")
    if decoded.version is not None and decoded.interval_ns is not None:
        parts.append(f"VRRPv{decoded.version} vrid {decoded.vrid} priority {decoded.priority}")
        parts.append(f"interval {decoded.interval_ns / 1e9:g} s")
        parts.append(f"auth {decoded.auth}")
    if decoded.ah_sequence is not None:
        parts.append(f"sequence {decoded.ah_sequence}")
    if decoded.trailer is not None:
        parts.append(_trailer_words(decoded.trailer))
    if decoded.addresses is not None:
        parts.append("addresses " + (" ".join(map(str, decoded.addresses)) or "none"))
    return f"{verdict}: {', '.join(parts)}"
