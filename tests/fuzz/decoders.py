"""Mutation fuzzer of the packet decoders; meant for the sanitizer build. Run from the root:

    FASTVRRP_SANITIZE=1 python setup.py build_clib build_ext --inplace
    FASTVRRP_SANITIZE=1 ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=src \\
        LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \\
        python -m tests.fuzz.decoders --seconds 60

The same seed and number of executions repeat a run.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from fastvrrp.names import RejectReason

ROOT = Path(__file__).parents[2]
SLICE = 100_000
"""Executions between two looks at the clock; slice n runs with seed + n."""


def genuine_packets() -> list[bytes]:
    """What is damaged: whole packets, and the messages that an IPv6 socket gets."""
    packets = []
    for path in sorted((ROOT / "tests/vectors").glob("*.json")):
        fields = json.loads(path.read_text())
        packets.append(bytes.fromhex(fields["payload_hex"]))
        if fields["af"] == 4 and "full_ip_packet_hex" in fields:
            packets.append(bytes.fromhex(fields["full_ip_packet_hex"]))
    return packets


def build() -> None:
    """Compile the loop; the compiler itself must not run under the sanitizer."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    command = [sys.executable, "tests/fuzz/build.py"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Fuzz for a while; 1 when an advert was accepted that must not be."""
    parser = argparse.ArgumentParser(description="Mutation fuzzer of the packet decoders.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)  # before anything can crash

    build()
    sys.path.insert(0, str(ROOT / "build/fuzz"))
    hammer = importlib.import_module("hammer")
    corpus = hammer.Corpus(genuine_packets())
    totals = [0] * (len(RejectReason) + 1)
    slices = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        counts = hammer.hammer(corpus, SLICE, options.seed + slices)
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        slices += 1

    print(f"{slices * SLICE} executions")
    for reason in RejectReason:
        print(f"{totals[reason]:12} {reason.key}")
    if totals[-1]:
        print(f"{totals[-1]:12} WRONGLY ACCEPTED")
    return 1 if totals[-1] else 0


if __name__ == "__main__":
    raise SystemExit(main())
