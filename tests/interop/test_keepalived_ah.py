"""AH with keepalived: sequence numbers that are behind, or would be after a restart.

keepalived has one counter for all that it sends and hears, and starts at 1 again after a restart;
it drops whatever is not above its counter. So our numbers must not fall behind what it has heard.
"""

import pytest

from interop.contest import Contest, Prize
from interop.peers import OURS, THEIRS
from lab import Lab, LogLine

pytestmark = [pytest.mark.netns, pytest.mark.interop]

AH = "authentication {\n auth_type AH\n auth_pass s3cr3tPw\n }"
V2 = 1.0  # s, the shortest interval of VRRPv2


def test_both_were_active(lab: Lab) -> None:
    """Given AH, when the routers could not hear each other for a while, then the better one alone
    is active again soon after that. If that is keepalived, it has sent more adverts than we have:
    it drops ours until our number is above its own, and while it drops it may send none."""
    won = Prize(vrid=51, vip="10.9.0.51", better=OURS, body=AH, interval=V2)
    lost = Prize(vrid=52, vip="10.9.0.52", better=THEIRS, body=AH, interval=V2)
    contest = Contest(lab, won, lost)
    contest.start()
    contest.is_cut_off_and_returns(OURS)
    contest.assert_content(allowed=["VI_52_4: Authentication Errors: Failure"])


def test_our_number_outlives_us(lab: Lab) -> None:
    """Given AH and us as active, when we are killed and start again while keepalived's link is
    down, so that it cannot tell us its number, then it believes our adverts when it is back."""
    prize = Prize(vrid=51, vip="10.9.0.51", better=OURS, body=AH, interval=V2)
    contest = Contest(lab, prize)
    contest.start()
    heard = contest.next_advert(prize, OURS, lab.now())
    contest.theirs.host.cut()
    lab.first(LogLine, lambda e: "Entering FAULT" in e.text, after=heard.at, timeout=2)

    killed = lab.now()
    contest.ours.host.kill_everything()
    contest.ours.start()
    again = contest.next_advert(prize, OURS, killed)
    healed = lab.now()
    contest.theirs.host.heal()
    for _ in range(2):
        again = contest.next_advert(prize, OURS, again.at)
    assert states_of_keepalived(lab, healed) == ["Entering BACKUP STATE"]
    contest.assert_content()


def states_of_keepalived(lab: Lab, after: int) -> list[str]:
    """The states that keepalived has entered since an instant."""
    lines = lab.events(LogLine, lambda e: e.host == "theirs" and e.at > after)
    return [line.text.partition(") ")[2] for line in lines if "Entering" in line.text]
