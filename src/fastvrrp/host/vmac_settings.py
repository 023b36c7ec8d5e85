"""Kernel parameters that go with virtual MAC interfaces: theirs, and those of the one below."""

from collections.abc import Iterator

from fastvrrp.config.model import Config
from fastvrrp.host.sysctls import Sysctls
from fastvrrp.host.vmac_plan import Wanted, wanted

__all__ = ["base_settings", "set_up"]

_ON_OURS = {
    "arp_ignore": "1",  # answer for its own addresses only
    "arp_filter": "0",  # although the way back is through the interface below
    "accept_local": "1",
    "promote_secondaries": "1",
}
_ON_BASE = {
    "arp_ignore": "1",  # never answer for a virtual address
    "arp_filter": "1",
    "arp_announce": "2",  # never ask in the name of one: who is asked takes note of the MAC address
}
_IPV6_ON_OURS = {"accept_ra": "0", "autoconf": "0"}
_NO_IDENTIFIER = "1"  # addr_gen_mode: none, IN6_ADDR_GEN_MODE_NONE


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


def set_up(sysctls: Sysctls, name: str, want: Wanted) -> bool:
    """Set the parameters of interface `name`, made as `want` says; False, and told, when one does
    not hold."""
    settings = _settings(sysctls, name, want)
    given = [sysctls.write(parameter, value) for parameter, value in settings]
    for family in ("ipv4", "ipv6"):
        forwards = sysctls.get(f"net/{family}/conf/{want.key.base}/forwarding")
        if forwards is not None and (family == "ipv4" or want.ipv6):
            given.append(sysctls.write(f"net/{family}/conf/{name}/forwarding", forwards))
    return all(given)


def _settings(sysctls: Sysctls, name: str, want: Wanted) -> Iterator[tuple[str, str]]:
    for parameter, value in _ON_OURS.items():
        yield _ipv4(name, parameter), value
    # The larger of this and that of "all" counts: where all others are strict, ours is loose.
    strict = sysctls.get(_ipv4("all", "rp_filter")) not in (None, "0")
    yield _ipv4(name, "rp_filter"), "2" if strict else "0"
    if sysctls.get(_ipv6(name, "disable_ipv6")) is None:
        return  # this kernel has no IPv6
    for parameter, value in _IPV6_ON_OURS.items():
        yield _ipv6(name, parameter), value
    if want.mac is not None:  # no address is made of a virtual MAC address, RFC 9568 §7.4
        yield _ipv6(name, "addr_gen_mode"), _NO_IDENTIFIER
    yield _ipv6(name, "disable_ipv6"), "0" if want.ipv6 else "1"


def _ipv4(interface: str, parameter: str) -> str:
    return f"net/ipv4/conf/{interface}/{parameter}"


def _ipv6(interface: str, parameter: str) -> str:
    return f"net/ipv6/conf/{interface}/{parameter}"
