"""Whatever the text is: only ConfigError, in bounded time, and no secret in what is shown."""

import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastvrrp import config
from fastvrrp.config.explain import codes
from fastvrrp.config.row import walk
from fastvrrp.config.schema import ROOT

HERE = Path(__file__).parent
ROOT_DIR = HERE.parents[1]
SAMPLES = [
    path.read_text(encoding="utf-8")
    for path in [
        *sorted((HERE / "golden").glob("*.conf")),
        *sorted(ROOT_DIR.glob("examples/*.conf")),
    ]
]
KEYWORDS = sorted({row.name for _, row in walk(ROOT)})
PIECES = st.one_of(
    st.sampled_from(KEYWORDS),
    st.sampled_from(
        ["{", "}", "\n", " ", '"', "'", "#", "!", "\\", "$", "@", "${x}", "~", "\t", "\r"]
    ),
    st.sampled_from(
        ["1", "255", "-1", "1.5", "192.0.2.1/24", "fe80::1", "eth0", "MASTER", "weight"]
    ),
    st.text(max_size=4),
)
quick = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def examine(text: str) -> tuple[config.Config | None, str]:
    """Return what a text gives, and everything that is shown about it."""
    try:
        loaded = config.loads(text)
    except config.ConfigError as error:
        return None, str(error) + "".join(d.render(color=True) for d in error.diagnostics)
    return loaded, repr(loaded) + "".join(map(str, loaded.diagnostics)) + repr(loaded.diagnostics)


@quick
@given(st.lists(PIECES, max_size=60).map(" ".join))
def test_words_in_any_order_give_a_config_or_config_error(text: str) -> None:
    _, shown = examine(text)
    shown.encode()


@quick
@given(st.binary(max_size=300))
def test_any_bytes_give_a_config_or_config_error(data: bytes) -> None:
    examine(data.decode("utf-8", "surrogateescape"))
    examine(data.decode("latin-1"))


@quick
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False))
def test_mutated_samples_give_a_config_or_config_error(text: str, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 5)):
        at, length = rng.randrange(len(text)), rng.randint(0, 8)
        piece = rng.choice(
            ["", "{", "}", '"', "\n", "\0", "#", rng.choice(KEYWORDS), text[at : at + 40]]
        )
        text = text[:at] + piece + text[at + length :] + " "
    examine(text)


@pytest.mark.parametrize("text", SAMPLES)
def test_every_line_can_be_lost(text: str) -> None:
    lines = text.split("\n")
    for index in range(len(lines)):
        examine("\n".join(lines[:index] + lines[index + 1 :]))


BRACES = ("FV007", "FV008", "FV009", "FV026")


def brace_mistakes(text: str) -> list[str]:
    """Return the findings about braces."""
    try:
        found = config.loads(text).diagnostics
    except config.ConfigError as error:
        found = error.diagnostics
    return [str(one) for one in found if one.code in BRACES]


def has_blocks_only(text: str) -> bool:
    """Tell if all braces of a text are those of blocks, not of names, sequences or patterns."""
    return not re.search(r"^\s*(?:[$~]|include)|\$\{", text, re.MULTILINE)


@pytest.mark.parametrize(
    "text", [text for text in SAMPLES if has_blocks_only(text) and not brace_mistakes(text)]
)
def test_a_lost_brace_is_told_once(text: str) -> None:
    for match in re.finditer("[{}]", text):
        mistakes = brace_mistakes(text[: match.start()] + text[match.end() :])
        assert len(mistakes) == 1, "\n".join(mistakes)


@quick
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False))
def test_comments_and_blank_lines_change_nothing(text: str, rng: random.Random) -> None:
    moved = "\n".join(
        "\n" * rng.randint(0, 2)
        + " " * rng.randint(0, 3)
        + line
        + rng.choice(["", "  ", ' # {x} "', "\t!"])
        if line.count('"') % 2 == 0
        else line
        for line in text.split("\n")
    )
    before, _ = examine(text)
    after, _ = examine(moved)
    assert before == after


BOMBS = {
    "open braces": "a {\n",
    "open braces without words": "{",
    "close braces": "}\n",
    "quotes": '"',
    "unknown words": "xyzzy 1\n",
    "many unknown words": "abc{n} 1\n",
    "one line": "word ",
    "one word": "x",
    "unclosed instances": "vrrp_instance V{n} {{\n virtual_ipaddress {{\n",
    "surplus braces": "vrrp_instance V{n} {{\n}}\n}}\npriority 1\n",
    "missing braces": "vrrp_instance V{n}\n priority 1\n}}\n",
    "no first lines": "  priority 1\n  auth_type PASS\n}}\n{n}.0.0.1\n}}\n",
    "blocks in blocks": "vrrp_instance V{n} {{\n authentication\n  # {n}\n vrrp_instance W{n} {{\n",
    "instances": "vrrp_instance V{n} {{\n interface e{n}\n virtual_router_id 1\n}}\n",
    "scripts": "vrrp_script chk{n} {{\n script x\n}}\n",
    "backslashes": "\\",
}


@pytest.mark.parametrize("name", BOMBS)
def test_time_grows_with_the_size_not_faster(name: str) -> None:
    """Ten times the text may take at most thirty times the processor time (and some ms)."""

    def cost(size: int) -> float:
        piece = BOMBS[name]
        count = size // len(piece)
        text = "".join(piece.format(n=n) for n in range(count)) if "{n}" in piece else piece * count
        start = time.process_time()
        examine(text)
        return time.process_time() - start

    cost(1000)
    assert cost(100_000) < 30 * cost(10_000) + 0.05


SECRET = "Xyzzy42q"


@pytest.mark.parametrize(
    "body",
    [
        "authentication {{\n auth_type PASS\n auth_pass {s}\n}}",
        "authentication {{\n auth_type PASS\n auth_pass {s}tooLong{s}\n}}",
        "authentication {{\n auth_type PASS\n auth_pass {s} {s}\n}}",
        'authentication {{\n auth_type PASS\n auth_pass "{s}\n}}',
        "authentication {{\n auth_type {s}\n auth_pass PASS\n}}",
        "authentication {{\n auth_type PASS\n password {s}\n}}",
        "authentication {{\n auth_type PASS\n {s}\n}}",
        "authentication {{\n auth_type PASS\n auth_pass\n {s}\n}}",
        "authentication {{ auth_type PASS auth_pass {s} }}",
        "authentication {{\n auth_type PASS\n auth_pass {s} {{\n",
        "authentification {{\n auth_type PASS\n pass {s}\n}}",
        "auth_pass {s}",
        "authentication\n auth_type PASS\n auth_pass {s}\n}}",
        "authentication {s} {{\n auth_type PASS\n auth_pass {s}\n}}",
        "authentication {{\n auth_type PASS\n auth_pass {s}\N{NO-BREAK SPACE}\n}}",
        "authentication {{\n auth_type AH # {s}\n auth_pass {s}\n",
        "auth_hmac {{\n key 1 {s}\n}}",
        "authentication {{\n auth_type PASS\n auth_pass ${{{s}}}\n}}",
        "authentication {{\n auth_type PASS\n auth_pass {s}é\ufffd\n}}",
        "    auth_type PASS\n    auth_pass {s}\n}}",
        "    auth_pass {s}\n}}",
        "authentication {{\n auth_type PASS\n auth_pass {s}#{s}\n}}",
        "authentication {{\n auth_type PASS\n auth_pass = {s}\n}}",
        "authentication\n auth_type PASS\n auth_pass {s}\n",
    ],
)
@pytest.mark.parametrize("version", [2, 3])
def test_a_secret_is_never_shown(body: str, version: int) -> None:
    text = (
        f"vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id 51\n version {version}\n"
        f"{body.format(s=SECRET)}\n}}\n"
    )
    _, shown = examine(text)
    assert SECRET not in shown
    assert SECRET[:5] not in shown


def test_secrets_stay_in_the_config() -> None:
    loaded = config.loads(SAMPLES[-1])
    auth = loaded.instances[0].auth
    assert auth is not None
    assert auth.password.reveal() == b"cuongqua"
    assert "***" in repr(loaded)


def test_a_diagnostic_cannot_steer_a_terminal() -> None:
    _, shown = examine("\x1b[31mred\x07 1\n")
    assert "\x1b[31mred" not in shown
    assert "\x07" not in shown


def test_every_code_is_listed_and_used() -> None:
    """A name for a code is as good as the code where it is told."""
    paths = (ROOT_DIR / "src/fastvrrp").rglob("*.py")
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert set(re.findall(r'"(FV\d{3})"', source)) == set(codes())


def test_importing_config_costs_nothing_that_only_reading_needs() -> None:
    code = (
        "import sys, fastvrrp.config; "
        "print([m for m in ('lark', 'difflib', 'socket', 'asyncio', 'pyroute2', 'subprocess', "
        "'fastvrrp.config.schema', 'fastvrrp.config.reader') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT_DIR / "src")},
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "line", ["~LST(P,hunter2xkkk auth_pass ${P}", "~SEQ(hunter2xkkk) auth_pass"]
)
def test_a_secret_before_its_keyword_in_a_sequence_is_not_shown(line: str) -> None:
    _, shown = examine(f"vrrp_instance V {{\n authentication {{\n {line}\n }}\n}}")
    assert "FV017" in shown
    assert "hunter2" not in shown
