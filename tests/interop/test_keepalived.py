"""fastvrrpd against Debian's keepalived: every mode of VRRPv2, and VRRPv3, beside each other."""

from pathlib import Path

import pytest

from interop.contest import Contest, Prize
from interop.peers import OURS, THEIRS
from lab import Lab

pytestmark = [pytest.mark.netns, pytest.mark.interop]

PASS = "authentication {\n auth_type PASS\n auth_pass s3cr3tPw\n }"
AH = "authentication {\n auth_type AH\n auth_pass s3cr3tPw\n }"
V2 = 1.0  # s, the shortest interval of VRRPv2

PRIZES = (
    Prize(vrid=51, vip="10.9.0.51", better=OURS, body="", interval=V2),
    Prize(vrid=52, vip="10.9.0.52", better=THEIRS, body="", interval=V2),
    Prize(vrid=61, vip="10.9.0.61", better=OURS, body=PASS, interval=V2),
    Prize(vrid=62, vip="10.9.0.62", better=THEIRS, body=PASS, interval=V2),
    Prize(vrid=71, vip="10.9.0.71", better=OURS, body=AH, interval=V2),
    Prize(vrid=72, vip="10.9.0.72", better=THEIRS, body=AH, interval=V2),
    Prize(vrid=81, vip="10.9.0.81", better=OURS, body="", interval=V2, unicast=True),
    Prize(vrid=82, vip="10.9.0.82", better=THEIRS, body="", interval=V2, unicast=True),
    Prize(vrid=91, vip="10.9.0.91", better=OURS, body=AH, interval=V2, unicast=True),
    Prize(vrid=92, vip="10.9.0.92", better=THEIRS, body=AH, interval=V2, unicast=True),
    Prize(vrid=101, vip="10.9.0.101", better=OURS),
    Prize(vrid=102, vip="10.9.0.102", better=THEIRS),
)


def test_election_failover_and_fall_back(lab: Lab, tmp_path: Path) -> None:
    """Given no authentication, PASS and AH, multicast and unicast, VRRPv2 and VRRPv3 on one LAN,
    when the better router stops, dies and returns each time, then the other takes over and yields
    in time, and neither refuses a packet of the other."""
    contest = Contest(lab, *PRIZES)
    contest.start()
    contest.stops_and_returns(OURS)
    contest.assert_content()
    contest.stops_and_returns(THEIRS)
    contest.dies_and_returns(OURS)
    contest.assert_content()
    contest.dies_and_returns(THEIRS)
    contest.assert_content()
    contest.assert_well_formed(tmp_path)
