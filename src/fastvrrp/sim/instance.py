"""One virtual router of a node: its settings, and the adverts that it sends."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from fastvrrp.core.acts import RouterParams
from fastvrrp.sim.lan import Datagram, Interface
from fastvrrp.wire.datagram import layout, reseal
from fastvrrp.wire.values import Layout

__all__ = ["AUTH_AH", "Instance"]

GROUPS = {4: ip_address("224.0.0.18").packed, 6: ip_address("ff02::12").packed}
AUTH_AH = 2
ALWAYS_OLD_CHECKSUM = 1
RECEIVE_ONLY = 2

Marks = list[tuple[bytes, int, int]]
"""`Core.marks`: what protects from replayed adverts."""


@dataclass(slots=True, eq=False)
class Instance:
    """One virtual router of a node. `priority` and `faults` are what trackers last said, and
    outlive the process; the rest is gone when it ends."""

    name: str
    interface: Interface
    params: RouterParams
    priority: int = 0
    faults: int = 0
    held: bool = False
    old_checksum: bool = False
    adverts: tuple[Layout, ...] = ()
    sealed: dict[int, tuple[Datagram, ...]] = field(default_factory=dict)
    remembered: tuple[Marks, tuple[int, int]] | None = None

    def __post_init__(self) -> None:
        self.priority = self.params.priority
        self.faults = self.params.faults
        self.adverts = tuple(_lay_out(self.params, target) for target in _targets(self.params))
        self.forget_peers()

    @property
    def effective(self) -> RouterParams:
        """The parameters, with what trackers last said."""
        return replace(self.params, priority=self.priority, faults=self.faults)

    def go_on_from(self, old: "Instance") -> None:
        """Take over what has become of `old`, which had other parameters."""
        self.faults = old.faults
        if self.params.priority == old.params.priority:
            self.priority = old.priority
        self.held = old.held
        self.remembered = old.remembered
        if self.params.old_checksum == old.params.old_checksum:
            self._set_old_checksum(old=old.old_checksum)

    def forget_peers(self) -> None:
        """Say the checksum as configured, whatever peers have said."""
        self._set_old_checksum(old=self.params.old_checksum == ALWAYS_OLD_CHECKSUM)

    def hear_old_checksum(self) -> None:
        """Speak to old versions of keepalived as they do, unless it is configured otherwise."""
        if self.params.old_checksum == 0:
            self._set_old_checksum(old=True)

    def _set_old_checksum(self, *, old: bool) -> None:
        self.old_checksum = old
        self.sealed.clear()

    def datagrams(self, priority: int, sequence: int) -> tuple[Datagram, ...]:
        """Return one advert of `priority` for each destination."""
        if self.params.auth_type == AUTH_AH or self.params.hmac is not None:
            return self._seal(priority, sequence)
        if priority not in self.sealed:
            self.sealed[priority] = self._seal(priority, 0)
        return self.sealed[priority]

    def _seal(self, priority: int, sequence: int) -> tuple[Datagram, ...]:
        hmac = self.params.hmac
        key = None if hmac is None else (hmac.active_key, dict(hmac.keys)[hmac.active_key])
        return tuple(
            Datagram(
                advert.family,
                reseal(
                    advert,
                    priority=priority,
                    ah_sequence=sequence if self.params.auth_type == AUTH_AH else 0,
                    password=self.params.password,
                    hmac_key=key,
                    hmac_sequence=sequence,
                    old_checksum=self.old_checksum,
                ),
                advert.src,
                advert.dst,
            )
            for advert in self.adverts
        )


def _group(params: RouterParams) -> bytes:
    return params.group_address or GROUPS[params.family]


def _targets(params: RouterParams) -> Sequence[bytes]:
    """Return the peers but ourselves, or the multicast group."""
    if not params.peers:
        return [_group(params)]
    return [peer for peer in params.peers if peer != params.source]


def _lay_out(params: RouterParams, target: bytes) -> Layout:
    return layout(
        family=params.family,
        version=params.version,
        vrid=params.vrid,
        priority=params.priority,
        interval_ns=params.advert_interval,
        addresses=params.addresses,
        src=params.source,
        dst=target,
        auth_type=params.auth_type,
        password=params.password,
        unicast=bool(params.peers),
        checksum_style=params.checksum,
        group=_group(params),
        hmac=params.hmac is not None and params.hmac.mode != RECEIVE_ONLY,
    )
