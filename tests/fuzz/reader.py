"""Mutation fuzzer of the configuration reader: nothing but ConfigError leaves it, and soon.

    python -m tests.fuzz.reader --seconds 60 --seed 1

The same seed gives the same texts in the same order.
"""

import argparse
import random
import sys
import time
from pathlib import Path

from fastvrrp.config import loads
from fastvrrp.errors import ConfigError

ROOT = Path(__file__).parents[2]
LIMIT_S = 2.0  # for one text of a few thousand characters, on a busy machine
TOKENS = (
    "{", "}", '"', "'", "#", "!", "\\", "\n", "\r\n", "\t", " ", "\0", "\ufeff", "“", "$X", "@id ",
    "~SEQ(i, 9)", "include /etc/passwd", "vrrp_instance VI_9 {", "virtual_ipaddress {", "}}}",
    "{{{", "255", "-1", "99999999999999999999", "0.0000001", "1e9", "::1/128", "10.0.0.1/33",
    "eth0" * 9,
)  # fmt: skip


def mutate(text: str, rng: random.Random) -> str:
    """Change `text` in one to eight places: delete, repeat, move, or put in what has a meaning."""
    for _ in range(rng.randint(1, 8)):
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.choice((0, 1, 1, 3, 20, 200)))
        piece = text[start:end]
        odd = rng.choice(TOKENS), chr(rng.randint(0, 0x2FF))
        new = rng.choice(("", piece * 2, piece[::-1], *odd))
        text = text[:start] + new + text[end:]
    return text


def fuzz(seconds: float, seed: int) -> int:
    """Run for `seconds`; returns how many texts were read."""
    rng = random.Random(seed)
    paths = [*ROOT.glob("examples/*.conf"), *ROOT.glob("tests/config/golden/*.conf")]
    pool = [path.read_text(encoding="utf-8", errors="surrogateescape") for path in sorted(paths)]
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        text = mutate(rng.choice(pool), rng)
        begin = time.monotonic()
        try:
            loads(text)
        except ConfigError:
            pass
        except BaseException:
            print(f"seed {seed}, text {count}:\n{text!r}", file=sys.stderr)
            raise
        took = time.monotonic() - begin
        assert took < LIMIT_S, f"seed {seed}, text {count}: {took:.1f} s for {text!r}"
        count += 1
    return count


def main() -> None:
    """Parse the command line, fuzz, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFFFFFF)
    options = parser.parse_args()
    print(f"reader: seed {options.seed}", flush=True)
    count = fuzz(options.seconds, options.seed)
    print(f"reader: {count} texts in {options.seconds:g} s, nothing but ConfigError")


if __name__ == "__main__":
    main()
