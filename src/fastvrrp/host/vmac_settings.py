"""Kernel parameters that go with virtual MAC interfaces: theirs, and those of the one below."""

from collections.abc import Iterator

from fastvrrp.config.model import Config
from fastvrrp.host.sysctls import Sysctls
from fastvrrp.host.vmac_plan import wanted

__all__ = ["base_settings", "set_up"]

_ON_OURS = {
    "arp_ignore": "1",  # answer for its own addresses only
    "arp_filter": "0",  # although the way back is through the interface below
    "accept_local": "1",
    "promote_secondaries": "1",
}
_ON_BASE = {"arp_ignore": "1", "arp_filter": "1"}  # never answer for a virtual address
_IPV6_ON_OURS = {
    "addr_gen_mode": "1",  # none: no address is made of the virtual MAC address, RFC 9568 §7.4
    "accept_ra": "0",
    "autoconf": "0",
}


def base_settings(config: Config) -> dict[str, dict[str, str]]:
    """Return by interface what `config` needs of those that have been there before us: parameters
    with their values, for as long as it runs."""
    found: dict[str, dict[str, str]] = {}
    for want in wanted(config):
        for name, value in _ON_BASE.items():
            found.setdefault(want.key.base, {})[_ipv4(want.key.base, name)] = value
    for instance in config.instances:
        if instance.promote_secondaries:
            name = _ipv4(instance.interface, "promote_secondaries")
            found.setdefault(instance.interface, {})[name] = "1"
    return found


def set_up(sysctls: Sysctls, name: str, base: str, *, ipv6: bool) -> bool:
    """Set the parameters of interface `name`, which is ours, over `base`; False, and told, when one
    does not hold."""
    given = [
        sysctls.write(parameter, value) for parameter, value in _settings(sysctls, name, ipv6=ipv6)
    ]
    for family in ("ipv4", "ipv6"):
        forwards = sysctls.get(f"net/{family}/conf/{base}/forwarding")
        if forwards is not None and (family == "ipv4" or ipv6):
            given.append(sysctls.write(f"net/{family}/conf/{name}/forwarding", forwards))
    return all(given)


def _settings(sysctls: Sysctls, name: str, *, ipv6: bool) -> Iterator[tuple[str, str]]:
    for parameter, value in _ON_OURS.items():
        yield _ipv4(name, parameter), value
    # The larger of this and that of "all" counts: where all others are strict, ours is loose.
    strict = sysctls.get(_ipv4("all", "rp_filter")) not in (None, "0")
    yield _ipv4(name, "rp_filter"), "2" if strict else "0"
    if sysctls.get(_ipv6(name, "disable_ipv6")) is None:
        return  # this kernel has no IPv6
    for parameter, value in _IPV6_ON_OURS.items():
        yield _ipv6(name, parameter), value
    yield _ipv6(name, "disable_ipv6"), "0" if ipv6 else "1"


def _ipv4(interface: str, parameter: str) -> str:
    return f"net/ipv4/conf/{interface}/{parameter}"


def _ipv6(interface: str, parameter: str) -> str:
    return f"net/ipv6/conf/{interface}/{parameter}"
