"""A machine on which everything that some configurations name exists; run as a program.

    unshare --net --mount python world.py FILE…

Makes a private copy of the root file system (an overlay that is gone with the process) with a
program for each script and an account for each user, a veth pair for each interface, and checks
every FILE as `fastvrrpd -t` does. Prints one JSON object: exit status and report of each file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from fastvrrp.config import Config, examine
from fastvrrp.config.model import ReferenceKind
from fastvrrp.config.source import Report
from fastvrrp.daemon import config_test
from fastvrrp.daemon.options import parse
from fastvrrp.preflight import commands

PROGRAM = "#!/bin/sh\nexit 0\n"
FIRST_ID = 40_000
LIMIT = 15
"""Characters of the name of an interface."""


@dataclass
class Named:
    """What configurations name."""

    interfaces: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=lambda: {"keepalived_script"})
    groups: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)

    def add(self, config: Config, _: Report) -> None:
        """Take up what one configuration names."""
        sets = {
            ReferenceKind.INTERFACE: self.interfaces,
            ReferenceKind.USER: self.users,
            ReferenceKind.GROUP: self.groups,
        }
        for one in config.references:
            sets[one.kind].add(one.name)
        for command, _decides in commands(config):
            self.programs.add(command.argv[0])


def mount(*arguments: str) -> None:
    """Call mount(8); raises CalledProcessError."""
    subprocess.run(("mount", *arguments), check=True, capture_output=True, text=True)


def enter_copy_of_root() -> None:
    """Make `/` a copy that can be written to, seen by this process only."""
    mount("--make-rprivate", "/")
    place = Path(tempfile.mkdtemp())
    mount("-t", "tmpfs", "none", str(place))
    for name in ("upper", "work", "root"):
        (place / name).mkdir()
    root = place / "root"
    layers = f"lowerdir=/,upperdir={place / 'upper'},workdir={place / 'work'}"
    mount("-t", "overlay", "overlay", "-o", layers, str(root))
    for point in mount_points(place):
        mount("--bind", str(point), str(root / point.relative_to("/")))
    here = Path.cwd()
    os.chroot(root)
    os.chdir(here)


def mount_points(without: Path) -> list[Path]:
    """Return what is mounted below `/`, outermost first."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    points = {Path(line.split()[1].replace("\\040", " ")) for line in lines}
    return sorted(
        point
        for point in points
        if point != Path("/") and not point.is_relative_to(without) and point.exists()
    )


def make(named: Named) -> None:
    """Make everything that is named."""
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    for number, name in enumerate(sorted(named.interfaces - {"lo"})):
        if len(name.encode()) <= LIMIT:
            add_interface(name, number)
    with open("/etc/passwd", "a", encoding="utf-8") as accounts:
        for number, name in enumerate(sorted(named.users - names_in("/etc/passwd")), FIRST_ID):
            accounts.write(f"{name}:x:{number}:{number}::/:/bin/sh\n")
    wanted = (named.users | named.groups) - names_in("/etc/group")
    with open("/etc/group", "a", encoding="utf-8") as groups:
        for number, name in enumerate(sorted(wanted), FIRST_ID):
            groups.write(f"{name}:x:{number}:\n")
    for program in named.programs:
        add_program(program)


def add_interface(name: str, number: int) -> None:
    """Add one end of a cable; a name that the kernel refuses stays missing."""
    end = ("ip", "link", "add", name, "type", "veth", "peer", "name", f"peer{number}")
    if subprocess.run(end, check=False, capture_output=True).returncode == 0:
        subprocess.run(("ip", "link", "set", name, "up"), check=True)


def names_in(database: str) -> set[str]:
    """Return the names in /etc/passwd or /etc/group."""
    lines = Path(database).read_text(encoding="utf-8").splitlines()
    return {line.partition(":")[0] for line in lines}


def add_program(name: str) -> None:
    """Add a program that succeeds, unless there is one, where every account can reach it."""
    path = Path(name if name.startswith("/") else f"/usr/bin/{name}")
    if path.exists() or shutil.which(name):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PROGRAM, encoding="utf-8")
    path.chmod(0o755)
    for directory in path.parents:
        directory.chmod(directory.stat().st_mode | 0o111)


def check(file: str) -> dict[str, object]:
    """Check one file as `fastvrrpd -t` does."""
    report = Path(tempfile.mkdtemp()) / "report"
    status = config_test.run(parse(["-f", file, f"-t{report}"]))
    return {"status": status, "report": report.read_text() if report.exists() else ""}


def main(files: list[str]) -> None:
    """Make the machine and check all files on it."""
    os.umask(0o022)
    named = Named()
    for file in files:
        examine(file, named.add)
    enter_copy_of_root()
    make(named)
    print(json.dumps({Path(file).name: check(file) for file in files}))


if __name__ == "__main__":
    main(sys.argv[1:])
