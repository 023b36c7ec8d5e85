"""fastvrrpd and keepalived beside each other: their configuration, and what each holds against the
packets of the other."""

import re
from dataclasses import dataclass

from lab import AddressAdded, Advert, Exited, Lab, Router

OURS, THEIRS = "fastvrrpd", "keepalived"


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A virtual router as both are told of it. `interval` is advert_int in s, `body` what else
    stands in its block."""

    vip: str
    priority: int
    vrid: int = 51
    interval: float = 0.1
    body: str = "version 3"
    interface: str = "eth0"

    @property
    def name(self) -> str:
        return f"VI_{self.vrid}_{6 if ':' in self.vip else 4}"

    @property
    def down(self) -> float:
        """Active_Down_Interval, rounded up, s."""
        return 4 * self.interval

    @property
    def text(self) -> str:
        """Its block; an IPv6 one begins with a link-local address (RFC 9568 §5.2.9)."""
        addresses = f"fe80::{self.vrid:x}:100\n  {self.vip}" if ":" in self.vip else self.vip
        return (
            f"vrrp_instance {self.name} {{\n"
            f" state BACKUP\n interface {self.interface}\n virtual_router_id {self.vrid}\n"
            f" priority {self.priority}\n advert_int {self.interval:g}\n {self.body}\n"
            f" virtual_ipaddress {{\n  {addresses}\n }}\n}}\n"
        )


def config(*instances: Instance, more: str = "") -> str:
    """A whole configuration, the same text for either daemon."""
    blocks = "".join(instance.text for instance in instances)
    return f"global_defs {{\n router_id interop\n script_user root\n}}\n{more}{blocks}"


def wait_holder(lab: Lab, router: Router, vip: str, *, after: int, timeout: float) -> AddressAdded:
    """Wait until the kernel of the router's host has got the virtual address."""
    return lab.first(
        AddressAdded,
        lambda e: e.host == router.host.name and e.address == vip,
        after=after,
        timeout=timeout,
    )


def wait_gone(lab: Lab, router: Router, vip: str, *, timeout: float = 2) -> None:
    """Wait until the router's host does not have the virtual address."""
    lab.wait_for(lambda: not router.host.holds(vip), timeout=timeout)


def is_from(advert: Advert, router: Router, vrid: int, vip: str) -> bool:
    """Whether the router sent the advert for a virtual router with `vip`; VRIDs of the two
    families have nothing to do with each other."""
    same_family = (":" in advert.source) == (":" in vip)
    return advert.host == router.host.name and advert.vrid == vrid and same_family


def wait_advert(
    lab: Lab, router: Router, *, vrid: int, vip: str, after: int, timeout: float
) -> Advert:
    """Wait for an advert of the router as an active one."""
    return lab.first(
        Advert,
        lambda e: is_from(e, router, vrid, vip) and e.priority > 0,
        after=after,
        timeout=timeout,
    )


def wait_exit(lab: Lab, router: Router, *, after: int) -> None:
    """Wait until the daemon of a host has ended."""
    lab.first(Exited, lambda e: e.host == router.host.name, after=after, timeout=8)


def keepalived_errors(lab: Lab, router: Router) -> dict[str, int]:
    """What keepalived's own statistics hold against the packets that it received, by
    "instance: section: error"; only what is not 0."""
    host = router.host

    def statistics() -> str:
        return host.run("sh", "-c", "cat /tmp/keepalived.stats 2>/dev/null || true")

    def complete() -> bool:
        return statistics().count("Priority Zero") == router.config.count("vrrp_instance")

    host.run("rm", "-f", "/tmp/keepalived.stats")
    host.run("sh", "-c", "kill -USR2 $(cat /run/router.pid)")
    lab.wait_for(complete, timeout=3)
    found = {}
    parts = statistics().split("VRRP Instance: ")[1:]
    assert len(parts) == router.config.count("vrrp_instance"), statistics()
    for part in parts:
        instance, section = part.split()[0], ""
        for line in part.splitlines():
            if line.endswith("Errors:"):
                section = line.strip(" :")
            elif section and (counter := re.fullmatch(r"    (\w[\w ]*): (\d+)", line)):
                error = f"{instance}: {section}: {counter[1]}"
                found.update({error: int(counter[2])} if counter[2] != "0" else {})
            else:
                section = ""
    return found


def rejects(router: Router) -> list[str]:
    """The lines in which our daemon tells of a packet that it has not used."""
    return [line for line in router.log if "rejected" in line]
