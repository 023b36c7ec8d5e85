"""Kinds of interfaces that not every kernel has; run inside an emulated machine that has them.

`FASTVRRP_VM` names a program that runs a command under another kernel: it takes `-d DIRECTORY`
(which the machine shares), `-M MODULE` (loaded first) and `-t SECONDS`, and ends with the exit
status of the command.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.vm

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).with_name("links_inside.py")
MODULES = ("veth", "bridge", "vrf", "8021q", "bonding", "sch_netem", "macvlan", "ipvlan")
LIMIT_S = 900


def test_links_of_other_kernels() -> None:
    """Everything in `links_inside.py` passes there; none of it is skipped."""
    machine = os.environ.get("FASTVRRP_VM")
    if machine is None:
        pytest.skip("FASTVRRP_VM names no program that runs a command in an emulated machine")
    modules = [word for module in MODULES for word in ("-M", module)]
    options = ["-d", str(ROOT), *modules, "-t", str(LIMIT_S)]
    environment = ["env", f"PYTHONPATH={ROOT / 'src'}", "CI=true"]
    tests = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [machine, *options, "--", *environment, *tests, str(INSIDE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
