"""IPv6 with keepalived, multicast and unicast, and VRRPv2 over IPv6, which only keepalived knows;
beside IPv4 instances of the same VRIDs."""

from pathlib import Path

import pytest

from interop.contest import Contest, Prize
from interop.peers import OURS, THEIRS
from lab import Lab

pytestmark = [pytest.mark.netns, pytest.mark.interop]

PRIZES = (
    Prize(vrid=51, vip="fd09::51", better=OURS),
    Prize(vrid=52, vip="fd09::52", better=THEIRS),
    Prize(vrid=51, vip="10.9.0.51", better=THEIRS),
    Prize(vrid=52, vip="10.9.0.52", better=OURS),
    Prize(vrid=61, vip="fd09::61", better=OURS, unicast=True),
    Prize(vrid=62, vip="fd09::62", better=THEIRS, unicast=True),
)


def test_ipv6_beside_ipv4(lab: Lab, tmp_path: Path) -> None:
    """Given IPv6 by multicast and by unicast, and IPv4 with the same VRIDs, when either router
    stops, returns, dies and is cut off, then each address is where it should be, and nobody finds
    fault with a packet."""
    contest = Contest(lab, *PRIZES)
    contest.start()
    contest.stops_and_returns(OURS)
    contest.is_cut_off_and_returns(OURS)
    contest.assert_content()
    contest.stops_and_returns(THEIRS)
    contest.dies_and_returns(OURS)
    contest.assert_content()
    contest.dies_and_returns(THEIRS)
    contest.assert_content()
    contest.assert_well_formed(tmp_path)


def test_version_2_over_ipv6(lab: Lab) -> None:
    """Given VRRPv2 over IPv6, when ours dies and returns, then each address is where it should be,
    and nobody finds fault with a packet."""
    prizes = (
        Prize(vrid=53, vip="fd09::53", better=OURS, body="version 2", interval=1),
        Prize(vrid=54, vip="fd09::54", better=THEIRS, body="version 2", interval=1),
    )
    contest = Contest(lab, *prizes)
    contest.start()
    contest.dies_and_returns(OURS)
    contest.assert_content()
