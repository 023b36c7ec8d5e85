"""What is missing where a virtual router has no address to send from, in words."""

from collections.abc import Sequence

from fastvrrp.host.links import IFA_F_DADFAILED, HostAddress

__all__ = ["no_source"]


def no_source(family: int, present: Sequence[HostAddress]) -> str:
    """Return that there is no address of `family` to send from among those `present` on the
    interface, in keepalived's words, and in ours why one that is there cannot be used."""
    text = f"no IPv{family} address for interface"
    for address in present:
        ip = address.ip
        if ip.version != family or address.usable or (family == 6 and not ip.is_link_local):
            continue
        if address.flags & IFA_F_DADFAILED:
            return f"{text}: {ip} is used by another host (duplicate address detection failed)"
        return f"{text}: {ip} is tentative until duplicate address detection has ended"
    return text
