"""Check files with keepalived and with fastvrrpd; run as a program in a network namespace.

    unshare --net --mount python check_both.py KEEPALIVED FILE…

Makes the interface eth0 and prints one JSON object: for each file the two exit statuses of `-t`,
and both reports.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from fastvrrp.daemon import config_test
from fastvrrp.daemon.options import parse


def main(program: str, files: list[str]) -> None:
    """Check all files."""
    cable = ("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "peer0")
    subprocess.run(cable, check=True)
    subprocess.run(("ip", "link", "set", "eth0", "up"), check=True)
    subprocess.run(("ip", "address", "add", "192.0.2.254/24", "dev", "eth0"), check=True)
    report = Path(tempfile.mkdtemp()) / "report"
    found = {}
    for file in files:
        theirs = subprocess.run((program, "-t", "-f", file), check=False, capture_output=True)
        report.write_text("")
        ours = config_test.run(parse(["-f", file, f"-t{report}"]))
        found[file] = [theirs.returncode, ours, theirs.stderr.decode(), report.read_text()]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
