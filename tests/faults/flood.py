"""Sends frames from a file in turn, at a rate, for a time: `flood.py FILE RATE SECONDS`."""

import socket
import sys
import time
from pathlib import Path


def main(path: str, rate: int, duration: float) -> int:
    """Send and return how many frames left; the pace is kept in bursts of a millisecond."""
    frames = [bytes.fromhex(line) for line in Path(path).read_text().split()]
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("eth0", 0))
        start = time.monotonic()
        while (elapsed := time.monotonic() - start) < duration:
            due = int(elapsed * rate) + 1
            for _ in range(min(due - sent, 1000)):
                wire.send(frames[sent % len(frames)])
                sent += 1
            if sent >= due:
                time.sleep(min(1 / rate, 0.001))
    return sent


if __name__ == "__main__":
    print("sent", main(sys.argv[1], int(float(sys.argv[2])), float(sys.argv[3])), flush=True)
