"""Mutation fuzzer of the configuration reader: nothing but ConfigError leaves it, and soon.

    python -m tests.fuzz.reader --seconds 60 --seed 1

The same seed gives the same texts in the same order. Texts include fragments, mutated as well, of a
directory that they may not leave.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from fastvrrp.config import loads
from fastvrrp.errors import ConfigError

ROOT = Path(__file__).parents[2]
LIMIT_S = 8.0  # for a small text that expands to all that the limits allow, on a busy machine
EACH = 50  # texts for which the fragments stay the same
CANARY = "no-finding-may-show-this"
TOKENS = (
    "{", "}", '"', "'", "#", "!", "\\", "\n", "\r\n", "\t", " ", "\0", "\ufeff", "“",
    "vrrp_instance VI_9 {", "virtual_ipaddress {", "}}}", "{{{", "255", "-1",
    "99999999999999999999", "0.0000001", "1e9", "::1/128", "10.0.0.1/33", "eth0" * 9,
    "\n@id ", "\n@^id ", "\n@^no ", "\n$X=", "\n$Y=$X", "\n$M=a \\\n", "\n$M=b ${M} \\\n",
    "$X", "${X}",
    "${Y}", "$M\n", "${M}\n", "${X${Y}}", "${_PWD}", "${_RANDOM 1 5}", "${_ENV HOME}", "${_HASH}",
    "\n~SEQ(X, 9) ", "\n~SEQx(i, 1, 3, 99) x${i}", "\n~SEQ(i, 2000) ", "\n~LST(X, a, b) ",
    "\n~LST({X,Y}, {1,2}, {3}) ", "\ninclude a.inc\n", "\nincludea {a,b,c}.inc\n",
    "\ninclude *.inc\n", "\ninclude ../*\n", "\ninclude /etc/passwd\n", "\ninclude up/*\n",
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
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "root"
        root.mkdir()
        (root / "up").symlink_to("..")
        (root.parent / "outside.inc").write_text(CANARY)
        return _fuzz(seconds, seed, root)


def _fuzz(seconds: float, seed: int, root: Path) -> int:
    rng = random.Random(seed)
    paths = [*ROOT.glob("examples/*.conf"), *ROOT.glob("tests/config/golden/*.conf")]
    pool = [path.read_text(encoding="utf-8", errors="surrogateescape") for path in sorted(paths)]
    end = time.monotonic() + seconds
    count = 0
    fragments: dict[str, str] = {}
    while time.monotonic() < end:
        if count % EACH == 0:
            fragments = {name: mutate(rng.choice(pool), rng) for name in ("a.inc", "b.inc")}
            for name, text in fragments.items():
                (root / name).write_text(text, encoding="utf-8", errors="surrogateescape")
        text = mutate(rng.choice(pool), rng)
        begin = time.monotonic()
        try:
            shown = _shown(text, root)
        except BaseException:
            print(f"seed {seed}, text {count}:\n{text!r}\n{fragments!r}", file=sys.stderr)
            raise
        took = time.monotonic() - begin
        assert took < LIMIT_S, f"seed {seed}, text {count}: {took:.1f} s for {text!r} {fragments!r}"
        assert CANARY not in shown, f"seed {seed}, text {count}: {text!r} {fragments!r}"
        count += 1
    return count


def _shown(text: str, root: Path) -> str:
    """Return everything that is told of a text."""
    try:
        found = loads(text, root=root, config_id="id").diagnostics
    except ConfigError as error:
        found = error.diagnostics
    return "".join(one.render() for one in found)


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
