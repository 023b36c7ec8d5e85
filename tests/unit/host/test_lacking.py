"""Why there is no address to send from."""

from ipaddress import ip_address

import pytest

from fastvrrp.host.lacking import no_source
from fastvrrp.host.links import IFA_F_DADFAILED, IFA_F_TENTATIVE, HostAddress


def address(text: str, flags: int = 0) -> HostAddress:
    return HostAddress(3, ip_address(text).packed, 64, flags, None)


@pytest.mark.parametrize(
    ("family", "present", "more"),
    [
        (4, [], ""),
        (4, [address("fe80::1", IFA_F_TENTATIVE)], ""),
        (6, [address("192.0.2.1"), address("fd09::1", IFA_F_TENTATIVE)], ""),
        (
            6,
            [address("fe80::1", IFA_F_TENTATIVE)],
            ": fe80::1 is tentative until duplicate address detection has ended",
        ),
        (
            6,
            [address("fe80::1", IFA_F_TENTATIVE | IFA_F_DADFAILED)],
            ": fe80::1 is used by another host (duplicate address detection failed)",
        ),
    ],
)
def test_no_source_says_why_an_address_cannot_be_used(
    family: int, present: list[HostAddress], more: str
) -> None:
    assert no_source(family, present) == f"no IPv{family} address for interface{more}"
