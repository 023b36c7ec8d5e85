"""FRR's vrrpd on a host, with the zebra that it needs and a macvlan device for each address."""

import os
import signal
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from lab.events import LogLine
from lab.network import INTERFACE, Host, Lab
from lab.process import Process

DIRECTORY = Path("/usr/lib/frr")
START_TIMEOUT_S = 10


def why_not() -> str | None:
    """Why FRR cannot run here, or None."""
    if not all((DIRECTORY / name).exists() for name in ("zebra", "vrrpd")):
        return "FRR is not installed; apt-get install frr"
    if os.geteuid() != 0:
        return "FRR changes to an account of its own, which an ordinary user's namespace lacks"
    return None


def virtual_mac(vrid: int, address: str) -> str:
    """The MAC of a virtual router (RFC 9568 §7.3)."""
    family = 1 if ip_address(address).version == 4 else 2
    return f"00:00:5e:00:{family:02x}:{vrid:02x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrrInstance:
    """One virtual router of FRR with one address; `interval_ms` in steps of 10 ms."""

    vrid: int
    priority: int
    address: str
    interval_ms: int
    preempt: bool = True

    @property
    def device(self) -> str:
        """Its macvlan device."""
        return f"vrrp{ip_address(self.address).version}-{self.vrid}"

    @property
    def lines(self) -> str:
        """It in vrrpd's configuration."""
        word = "ip" if ip_address(self.address).version == 4 else "ipv6"
        return (
            f" vrrp {self.vrid} version 3\n"
            f" vrrp {self.vrid} priority {self.priority}\n"
            f" vrrp {self.vrid} advertisement-interval {self.interval_ms}\n"
            f" {'' if self.preempt else 'no '}vrrp {self.vrid} preempt\n"
            f" vrrp {self.vrid} {word} {self.address}\n"
        )


class FrrRouter:
    """zebra and vrrpd with their files in the host's own directories; may be started again."""

    def __init__(self, lab: Lab, host: Host, *instances: FrrInstance) -> None:
        self.host = host
        self._lab = lab
        self._instances = instances
        self._zebra: Process | None = None
        self.process: Process | None = None
        for instance in instances:
            lab.name(virtual_mac(instance.vrid, instance.address), host.name)

    def start(self) -> Process:
        """Start vrrpd, and before the first time zebra and the devices; its lines tell every
        change of state. Raises LabError when the kernel has no macvlan."""
        if self._zebra is None:
            self._prepare()
            start = self._lab.now()
            self._zebra = self._spawn("zebra", "")
            self._lab.first(
                LogLine,
                lambda e: e.process == "zebra" and "starting" in e.text,
                after=start,
                timeout=START_TIMEOUT_S,
            )
        lines = "".join(instance.lines for instance in self._instances)
        self.process = self._spawn("vrrpd", f"debug vrrp protocol\ninterface {INTERFACE}\n{lines}")
        return self.process

    def stop(self) -> None:
        """SIGTERM to vrrpd: it resigns and ends; zebra and the devices stay."""
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """kill -9 vrrpd."""
        if self.process is not None:
            self.process.signal(signal.SIGKILL)

    @property
    def log(self) -> list[str]:
        """What vrrpd has written since it was started last, as far as taken in."""
        return [] if self.process is None else self.process.output.lines

    def _spawn(self, name: str, config: str) -> Process:
        path = self.host.write(f"/run/{name}.conf", config)
        program = str(DIRECTORY / name)
        return self.host.popen(program, "-f", path, "-P", "0", "--log", "stdout")

    def _prepare(self) -> None:
        """Make its directories, /var/tmp being for its crash logs, and its devices."""
        self.host.run("mount", "-t", "tmpfs", "tmpfs", "/var/tmp")
        self.host.run("install", "-d", "-o", "frr", "-g", "frr", "/run/frr")
        for instance in self._instances:
            device, address = instance.device, ip_address(instance.address)
            mac = virtual_mac(instance.vrid, instance.address)
            nodad = "nodad" if address.version == 6 else ""
            commands = (
                f"link add link {INTERFACE} name {device} address {mac} type macvlan mode bridge\n"
                f"addr add {address}/{address.max_prefixlen} dev {device} {nodad}\n"
                f"link set {device} up\n"
            )
            self.host.run("ip", "-batch", "-", stdin=commands)
