"""Frames as a capture file, and what tshark thinks of them."""

import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

_MAGIC, _VERSION, _ETHERNET = 0xA1B2C3D4, (2, 4), 1


def write_pcap(frames: Iterable[bytes], path: Path) -> Path:
    """Write Ethernet frames one second apart."""
    parts = [struct.pack("!IHHiIII", _MAGIC, *_VERSION, 0, 0, 65535, _ETHERNET)]
    for second, frame in enumerate(frames):
        parts += [struct.pack("!IIII", second, 0, len(frame), len(frame)), frame]
    path.write_bytes(b"".join(parts))
    return path


def expert_messages(frames: Iterable[bytes], path: Path) -> list[str]:
    """What tshark's experts complain about, checksums verified; [] is praise."""
    write_pcap(frames, path)
    fields = ["frame.number", "_ws.expert.message", "_ws.malformed"]
    command = ["tshark", "-r", str(path), "-T", "fields", "-Y", "_ws.expert || _ws.malformed"]
    command += [word for field in fields for word in ("-e", field)]
    command += ["-o", "ip.check_checksum:TRUE"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout.splitlines()
