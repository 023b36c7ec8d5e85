"""VRRPv3 unicast with keepalived, in both conventions for the checksum (VRRPv2 has but one).

Before 2.0.7 keepalived put the multicast group into the pseudo-header of unicast adverts, too;
old_unicast_checksum brings that back, and who hears such an advert should do the same by itself.
"""

import pytest

from interop.contest import Contest, Prize
from interop.peers import OURS, THEIRS
from lab import Lab

pytestmark = [pytest.mark.netns, pytest.mark.interop]

OLD, NEVER = "old_unicast_checksum", "old_unicast_checksum never"


def prizes(first_vrid: int, *, body: str = "version 3", theirs: str = "") -> list[Prize]:
    """One address for which we are better, and one for which they are."""
    return [
        Prize(
            vrid=vrid,
            vip=f"10.9.0.{vrid}",
            better=better,
            unicast=True,
            body=body,
            theirs=theirs,
        )
        for vrid, better in ((first_vrid, OURS), (first_vrid + 1, THEIRS))
    ]


def play(contest: Contest) -> None:
    """Either stops, returns and dies; nobody finds fault with a packet."""
    contest.start()
    contest.stops_and_returns(OURS)
    contest.assert_content()
    contest.stops_and_returns(THEIRS)
    contest.dies_and_returns(OURS)
    contest.assert_content()
    contest.dies_and_returns(THEIRS)
    contest.assert_content()


def test_v3_with_the_real_destination_in_the_checksum(lab: Lab) -> None:
    """Given VRRPv3 unicast as both do it by themselves."""
    play(Contest(lab, *prizes(51), *prizes(61, theirs=NEVER)))


def test_v3_with_the_group_in_the_checksum(lab: Lab) -> None:
    """Given VRRPv3 unicast with old checksums, of both, or of one, whom the other follows."""
    play(
        Contest(
            lab,
            *prizes(51, body=f"version 3\n {OLD}"),
            Prize(vrid=61, vip="10.9.0.61", better=THEIRS, unicast=True, theirs=OLD),
            Prize(vrid=62, vip="10.9.0.62", better=OURS, unicast=True, ours=OLD),
        )
    )


def test_v3_we_follow_a_worse_router_with_old_checksums(lab: Lab) -> None:
    """Given keepalived with old checksums, which it demands of us, too, and us as the better
    router, when both start, then keepalived is active beside us until we have heard it, and yields
    for good then."""
    prize = Prize(vrid=51, vip="10.9.0.51", better=OURS, unicast=True, theirs=OLD)
    contest = Contest(lab, prize)
    contest.start()
    settled = lab.now()
    for _ in range(8):  # longer than Active_Down_Interval
        settled = contest.next_advert(prize, OURS, settled).at
    assert not contest.theirs.host.holds(prize.vip)
    contest.stops_and_returns(OURS)
