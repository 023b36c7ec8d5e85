"""`vrrp_probe`: what the engine looks at itself, without starting a program."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastvrrp.clock import Nanoseconds, seconds
from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model.base import Address
from fastvrrp.config.model.value import Value

__all__ = [
    "FileProbe",
    "HttpProbe",
    "InterfaceProbe",
    "ProbeConfig",
    "ProbeTarget",
    "ProcessProbe",
    "TcpProbe",
    "UnixProbe",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TcpProbe(Value):
    """A TCP port that accepts connections, 1..65535."""

    address: Address
    port: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HttpProbe(Value):
    """A web server whose answer to GET has a status: `status`, None: 200..399."""

    address: Address
    port: int = 80
    path: str = "/"
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UnixProbe(Value):
    """A Unix stream socket that accepts connections; `path` is absolute."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ProcessProbe(Value):
    """A process of this name, of which the first 15 bytes count."""

    process: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FileProbe(Value):
    """A regular file; `max_age` is how long ago it may have been written, None: any time."""

    path: str
    max_age: Nanoseconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class InterfaceProbe(Value):
    """An interface that is up and has a carrier."""

    interface: str


ProbeTarget = TcpProbe | HttpProbe | UnixProbe | ProcessProbe | FileProbe | InterfaceProbe


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ProbeConfig(Value):
    """One `vrrp_probe`. `weight` -253..253, 0: failure is a FAULT. `timeout` None: `interval`.

    `init_fail`: it counts as failed until it succeeded `rise` times.
    """

    name: str
    target: ProbeTarget
    interval: Nanoseconds = seconds(1)
    timeout: Nanoseconds | None = None
    weight: int = 0
    reverse: bool = False
    rise: int = 1
    fall: int = 1
    init_fail: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)
