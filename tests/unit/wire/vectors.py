"""The packets of tests/vectors, each with the receiver that its verdict presumes."""

import json
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

from fastvrrp.wire.advert import decode_packet
from fastvrrp.wire.values import Decoded

DIRECTORY = Path(__file__).parents[2] / "vectors"
AUTH_TYPES = {"PASS": 1, "AH": 2}


@dataclass(frozen=True)
class Vector:
    """One file; `fields` is its content."""

    fields: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.fields["name"])

    @property
    def family(self) -> int:
        return int(self.fields["af"])

    @property
    def version(self) -> int:
        return int(self.fields["proto_version"])

    @property
    def src(self) -> IPv4Address | IPv6Address | None:
        return ip_address(self.fields["src"]) if self.fields["src"] else None

    @property
    def dst(self) -> IPv4Address | IPv6Address:
        return ip_address(self.fields["dst"])

    @property
    def receiver(self) -> dict[str, Any]:
        receiver: dict[str, Any] = self.fields["receiver"]
        return receiver

    @property
    def expect(self) -> dict[str, Any]:
        expect: dict[str, Any] = self.fields["expect"]
        return expect

    @property
    def unicast(self) -> bool:
        # the vectors of the auth_hmac draft name no mode
        told = "multicast" if self.hmac_key is None or self.dst.is_multicast else "unicast"
        return bool(self.receiver.get("mode", told) == "unicast")

    @property
    def auth_type(self) -> int:
        return AUTH_TYPES.get(self.receiver.get("auth_type", ""), 0)

    @property
    def password(self) -> bytes:
        return str(self.receiver.get("auth_pass", "")).encode()

    @property
    def hmac_key(self) -> tuple[int, bytes] | None:
        """The key of the authentication trailer, None without one."""
        hmac = self.receiver.get("auth_hmac")
        return (hmac["key_id"], bytes.fromhex(hmac["key_hex"])) if hmac else None

    @property
    def trailer(self) -> bytes:
        return self.message[-28:] if self.hmac_key else b""

    @property
    def message(self) -> bytes:
        return bytes.fromhex(self.fields["payload_hex"])

    @property
    def packet(self) -> bytes | None:
        """The whole IP packet, where it is known."""
        text = self.fields.get("full_ip_packet_hex")
        return bytes.fromhex(text) if text else None

    def decode(self, packet: bytes | None = None, **changes: object) -> Decoded:
        """Decode this packet (or another in its place) as its receiver would."""
        own = self.receiver.get("address")
        interval_ms = self.receiver.get("interval_ms")
        keywords: dict[str, Any] = {
            "family": self.family,
            "version": self.receiver.get("version"),
            "vrid": self.receiver.get("vrid"),
            "interval_ns": interval_ms * 1_000_000 if interval_ms else None,
            "unicast": self.unicast,
            "auth_type": self.auth_type,
            "password": self.password,
            "own": ip_address(own) if own else None,
            "hmac_keys": [self.hmac_key] if self.hmac_key else [],
        }
        if self.packet is None:
            ttl = self.fields["ttl"]
            keywords |= {"payload": True, "src": self.src, "dst": self.dst, "ttl": ttl}
        data = (self.packet or self.message) if packet is None else packet
        keywords |= changes
        return decode_packet(data, **keywords)


def load() -> list[Vector]:
    """Every vector, by name."""
    return [Vector(json.loads(path.read_text())) for path in sorted(DIRECTORY.glob("*.json"))]


VECTORS = load()
VALID = [v for v in VECTORS if v.expect["valid"]]
TAMPERED = [v for v in VECTORS if v.hmac_key and not v.expect["valid"]]
"""With one bit flipped that makes the difference."""
SIGNED = [v for v in VALID if v.hmac_key]
"""With an authentication trailer, of auth_hmac."""
SENT = [v for v in VALID if v.packet and v.name.startswith("cap-keepalived")]
"""Whole packets that keepalived put on a wire."""


def name_of(vector: Vector) -> str:
    """For pytest's ids."""
    return vector.name
