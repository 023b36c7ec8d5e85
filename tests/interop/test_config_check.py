"""Generated files, right and wrong: where keepalived's `-t` is content, ours is, and the other way.

Debian's keepalived is 2.2.7, so that the files hold only what it and 2.4.3 take the same way.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILES = 400
SEED = 4

# Lines of an instance by what they are about, a right one first; one of each is drawn, or none.
LINES: tuple[tuple[str, ...], ...] = (
    ("interface eth0",),
    ("virtual_router_id 51", "virtual_router_id 1", "virtual_router_id 255"),
    ("priority 100", "priority 1", "priority 254", "priority 300", "priority x", "priority 0"),
    ("state BACKUP", "state MASTER", "state master", "state OTHER"),
    ("advert_int 1", "advert_int 3", "advert_int 0.5", "advert_int -1", "advert_int 300"),
    ("nopreempt", "preempt_delay 30", "preempt_delay 2000", "preempt"),
    ("garp_master_delay 5", "garp_master_delay 1.5", "garp_master_repeat 2"),
    ("version 2", "version 3", "version 4"),
    ("mcast_src_ip 192.0.2.254", "mcast_src_ip 2001:db8::1", "mcast_src_ip nowhere"),
    ("dont_track_primary", "smtp_alert", "smtp_alert maybe", "debug 2", "use_no_such_word"),
    (
        "authentication {\n auth_type PASS\n auth_pass secret\n}",
        "authentication {\n auth_type PASS\n auth_pass far_too_long\n}",
        "authentication {\n auth_type AH\n auth_pass secret\n}",
        "authentication {\n auth_type OTHER\n auth_pass secret\n}",
    ),
    (
        "virtual_ipaddress_excluded {\n 192.0.2.20/24\n}",
        "virtual_ipaddress_excluded {\n 2001:db8::20/64\n}",
        "virtual_ipaddress_excluded {\n 192.0.2.20/33\n}",
    ),
    (
        "track_interface {\n eth0\n}",
        "track_interface {\n lo weight 10\n}",
        "track_interface {\n lo weight 300\n}",
        "track_interface {\n nowhere0\n}",
    ),
    ("notify_master /usr/bin/true", 'notify "/usr/bin/true x"', "notify_stop /nowhere/at/all"),
    ("unicast_src_ip 192.0.2.254", "unicast_peer {\n 192.0.2.253\n}", "unicast_peer {\n x\n}"),
)
ADDRESSES = (
    "192.0.2.10/24",
    "192.0.2.10/24 dev eth0",
    "192.0.2.10/24 brd 192.0.2.255 scope global label eth0:1",
    "192.0.2.10",
    "192.0.2.256",
    "192.0.2.10/24 dev nowhere0",
    "192.0.2.10/24 colour blue",
    "192.0.2.10 192.0.2.11",
)
GLOBAL = (
    "enable_script_security",
    "router_id here",
    "vrrp_garp_master_repeat 3",
    "vrrp_garp_master_repeat 0",
    "vrrp_version 3",
    "notification_email {\n root@localhost\n}",
    "no_such_word",
)


def _line(few: tuple[str, ...], draw: random.Random) -> str:
    """Return one of a few lines, more often the first, which is right."""
    return few[0] if draw.random() < 0.75 else draw.choice(few)


def text(draw: random.Random) -> str:
    """Return a file of one instance."""
    lines = [draw.choice(few) for few in LINES[:2]]
    lines += [_line(few, draw) for few in LINES[2:] if draw.random() < 0.3]
    # Version 3 sends no authentication, and 2.2.7 tells so less often than 2.4.3 does.
    if any(line.startswith(("version", "unicast")) for line in lines):
        lines = [line for line in lines if not line.startswith("authentication")]
    address = _line(ADDRESSES, draw)
    lines.append(f"virtual_ipaddress {{\n {address}\n}}")
    first, second = lines[:2], lines[2:]
    draw.shuffle(second)
    # Without it both look for an account that a machine may have or not.
    globals_ = ["script_user root"] + [_line(GLOBAL, draw) for _ in range(draw.randrange(3))]
    body = "\n".join([*first, *second])
    return "global_defs {\n" + "\n".join(globals_) + f"\n}}\nvrrp_instance VI {{\n{body}\n}}\n"


@pytest.mark.interop
def test_both_are_content_with_the_same_files(tmp_path: Path) -> None:
    """Given seeded files with and without mistakes, when both check them, then both report
    something or neither does."""
    keepalived = shutil.which("keepalived")
    if keepalived is None:
        pytest.skip("keepalived is not installed")
    if os.geteuid() != 0:
        pytest.skip("keepalived checks a configuration for root only")
    draw = random.Random(SEED)
    for number in range(FILES):
        (tmp_path / f"{number}.conf").write_text(text(draw))
    program = str(Path(__file__).with_name("check_both.py"))
    files = [str(path) for path in sorted(tmp_path.glob("*.conf"))]
    done = subprocess.run(
        ["unshare", "--net", "--mount", sys.executable, program, keepalived, *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    different = [
        f"{Path(file).read_text()}\nkeepalived {theirs}: {said}\nfastvrrpd {ours}: {told}"
        for file, (theirs, ours, said, told) in found.items()
        if bool(theirs) != bool(ours)
    ]
    clean = sum(theirs == 0 for theirs, *_ in found.values())
    assert FILES / 10 < clean < FILES * 9 / 10
    assert not different, f"{len(different)} of {FILES}:\n" + "\n".join(different[:5])
