"""What the conformance tests share: adverts that are right but for one thing, and one router that
hears them, in a time that jumps from deadline to deadline."""

from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

from fastvrrp import loads
from fastvrrp.clock import seconds
from fastvrrp.config.model import Config, GlobalConfig, InstanceConfig
from fastvrrp.core.acts import Act, Note, RouterParams
from fastvrrp.core.core import Core
from fastvrrp.host.prepare import lay_out_adverts
from fastvrrp.names import NoteKind, RejectReason, State
from fastvrrp.wire.advert import layout, reseal
from fastvrrp.wire.values import Layout

VRID = 51
SECOND = seconds(1)
GROUP = {4: ip_address("224.0.0.18").packed, 6: ip_address("ff02::12").packed}
OWN = {4: ip_address("192.0.2.5").packed, 6: ip_address("fe80::5").packed}
LOWER = {4: ip_address("192.0.2.1").packed, 6: ip_address("fe80::1").packed}
HIGHER = {4: ip_address("192.0.2.9").packed, 6: ip_address("fe80::9").packed}
VIP = {4: ip_address("192.0.2.100").packed, 6: ip_address("fe80::100").packed}
IPV4_HEADER = 20
VRRP = 112


def ones_complement(data: bytes) -> int:
    """Return the checksum of RFC 1071, written here a second time on purpose."""
    total = sum(int.from_bytes(data[i : i + 2].ljust(2, b"\0")) for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(src: bytes, dst: bytes, length: int) -> bytes:
    """Return that of RFC 8200 §8.1, or what became of it for IPv4."""
    if len(src) == 4:
        return src + dst + bytes((0, VRRP)) + length.to_bytes(2)
    return src + dst + length.to_bytes(4) + bytes((0, 0, 0, VRRP))


# ---- adverts of others ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An advert under way: what a raw socket gives for it, and what the kernel says beside it."""

    data: bytes
    family: int
    src: bytes
    dst: bytes
    ttl: int = 255

    @property
    def start(self) -> int:
        """Where the VRRP message begins, without AH."""
        return (self.data[0] & 15) * 4 if self.family == 4 else 0

    @property
    def message(self) -> bytes:
        return self.data[self.start :]

    def patched(self, offset: int, new: bytes, *, resum: bool = True) -> "Sent":
        """Return this with other bytes at `offset` of the message; `resum` mends its checksum."""
        at = self.start + offset
        data = bytearray(self.data)
        data[at : at + len(new)] = new
        if resum:
            message = data[self.start :]
            message[6:8] = bytes(2)
            summed = bytes(message)
            if message[0] >> 4 == 3 or self.family == 6:
                summed = pseudo_header(self.src, self.dst, len(message)) + summed
            data[self.start + 6 : self.start + 8] = ones_complement(summed).to_bytes(2)
        return replace(self, data=bytes(data))

    def with_length(self, length: int) -> "Sent":
        """Return this with another length of the message in the IP header, bytes unchanged."""
        if self.family == 6:
            return replace(self, data=self.data[:length].ljust(length, b"\0"))
        total = self.start + length
        data = self.data[:2] + total.to_bytes(2) + self.data[4:]
        return replace(self, data=data.ljust(total, b"\0"))


def advert(**changes: object) -> Sent:
    """Return a multicast advert of priority 200 and version 3 over IPv4, unless changed: the
    keywords of `layout`, `ah_sequence`, and `hmac_key` with `hmac_sequence` for a trailer."""
    family = changes.get("family", 4)
    assert family in (4, 6)
    fields: dict[str, Any] = {
        "family": family,
        "version": 3,
        "vrid": VRID,
        "priority": 200,
        "interval_ns": SECOND,
        "addresses": (VIP[family],),
        "src": LOWER[family],
        "dst": GROUP[family],
    }
    fields |= changes
    seal: dict[str, Any] = {"ah_sequence": fields.pop("ah_sequence", 1)}
    if "hmac_key" in fields:
        seal |= {key: fields.pop(key) for key in ("hmac_key", "hmac_sequence")}
        fields["hmac"] = True
    blank = layout(**fields)
    password = fields.get("password", b"")
    data = reseal(blank, priority=fields["priority"], password=password, **seal)
    ttl = fields.get("ttl", 255)
    return Sent(data=data, family=family, src=fields["src"], dst=fields["dst"], ttl=ttl)


# ---- adverts of ours ----


def instance(body: str, *, family: int = 4) -> InstanceConfig:
    """Return `vrrp_instance V` with VRID 51 and one virtual address, plus the lines of `body`."""
    return configuration(body, family=family).instances[0]


def configuration(body: str, *, family: int = 4) -> Config:
    """Return the configuration with the instance of `instance`."""
    vips = "" if "virtual_ipaddress" in body else f"virtual_ipaddress {{\n{_VIPS[family]}\n}}\n"
    text = f"vrrp_instance V {{\ninterface eth0\nvirtual_router_id {VRID}\n{vips}{body}\n}}\n"
    return loads(text)


_VIPS = {4: "192.0.2.100/24", 6: "fe80::100/64\n2001:db8::100/64"}


def laid_out(body: str, *, family: int = 4) -> tuple[Layout, ...]:
    """Return the adverts of `instance`, one for each destination, as they are prepared to send."""
    return lay_out_adverts(instance(body, family=family), GlobalConfig(), ip_address(OWN[family]))


def message_of(body: str, *, family: int = 4) -> bytes:
    """Return the VRRP message that `instance` sends to its only destination."""
    (only,) = laid_out(body, family=family)
    return only.data[only.vrrp :]


# ---- one router ----


def params(**changes: object) -> RouterParams:
    """Return a router of priority 100 and version 3 over IPv4, unless changed."""
    family = changes.get("family", 4)
    assert family in (4, 6)
    fields: dict[str, Any] = {
        "vrid": VRID,
        "version": 3,
        "family": family,
        "priority": 100,
        "source": OWN[family],
        "addresses": (VIP[family],),
    }
    return RouterParams(**(fields | changes))


class Router:
    """One virtual router with its core, its time `now` (ns), and all its acts and notes so far."""

    def __init__(self, **changes: object) -> None:
        self.params = params(**changes)
        self.core = Core(1)
        self.core.add(self.params)
        self.now: int = 0
        self.acts: list[Act] = []
        self.notes: list[Note] = []

    def start(self) -> "Router":
        """Startup; returns the router."""
        self.core.startup(0, self.now)
        self._drain()
        return self

    def activate(self) -> "Router":
        """Startup, and wait until the router is active; returns it."""
        self.start()
        while self.state() is not State.ACTIVE:
            self.run_to(self.deadline)
        return self

    def stop(self) -> None:
        """Shutdown."""
        self.core.shutdown(0, self.now)
        self._drain()

    def hear(self, sent: Sent) -> RejectReason:
        """Take an advert now."""
        reason = self.core.receive(
            sent.data, family=sent.family, src=sent.src, dst=sent.dst, ttl=sent.ttl, now=self.now
        )
        self._drain()
        return reason

    def run_to(self, instant: int) -> None:
        """Fire every deadline up to and including `instant`, each in its time."""
        while (due := self.core.deadline()) is not None and due <= instant:
            self.now = max(self.now, due)
            self.core.advance(self.now)
            self._drain()
        self.now = instant

    def run_for(self, duration: int) -> None:
        """As `run_to`, from now."""
        self.run_to(self.now + duration)

    def _drain(self) -> None:
        self.acts += self.core.drain()
        self.notes += self.core.drain_notes()

    def state(self) -> State:
        return self.core.state(0)

    @property
    def deadline(self) -> int:
        """When the timer of the protocol fires, ns; it must be running."""
        due: int = self.core.status(0)["deadline"]
        return due

    @property
    def timer_runs(self) -> bool:
        return self.core.status(0)["deadline"] is not None

    def status(self, key: str) -> int:
        value: int = self.core.status(0)[key]
        return value

    def counter(self, key: str) -> int:
        return self.core.counters(0)[key]

    def forget(self) -> None:
        """Let `acts` and `notes` begin anew."""
        self.acts.clear()
        self.notes.clear()

    @property
    def kinds(self) -> list[str]:
        """The acts by their names, in their order."""
        return [act.kind for act in self.acts]

    @property
    def sent(self) -> list[int]:
        """The priorities of the adverts sent."""
        return [act.a for act in self.acts if act.kind == "SEND"]

    @property
    def gaps(self) -> set[int]:
        """The times between the adverts sent, ns."""
        return {b - a for a, b in pairwise(act.at for act in self.acts if act.kind == "SEND")}

    def noted(self, kind: NoteKind) -> list[Note]:
        return [note for note in self.notes if note.kind is kind]


def backup(**changes: object) -> Router:
    """Return a router in Backup, one second after its start."""
    router = Router(**changes).start()
    router.run_for(SECOND)
    router.forget()
    return router


def active(**changes: object) -> Router:
    """Return a router that became active half a second ago."""
    router = Router(**changes).activate()
    router.run_for(SECOND // 2)
    router.forget()
    return router
