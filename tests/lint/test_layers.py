"""The module map as data: a module imports from lower layers and from its own package only."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "fastvrrp"

LAYERS = (
    ("errors", "names", "clock", "secret", "timerfd", "inotify", "ownfile", "pidfile", "undoing"),
    ("wire",),
    ("core",),
    ("loop", "config", "reactor"),
    ("children", "keys", "params", "marks", "journal"),
    ("host", "track", "notify", "record", "report"),
    ("routers", "preflight"),
    ("engine", "sim"),
    ("daemon", "tools"),
    ("completion",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# What a package may not use at all, so that it stays testable without a kernel.
FORBIDDEN = {
    "wire": {"socket", "os", "time", "asyncio", "pyroute2", "logging"},
    "core": {"socket", "os", "time", "asyncio", "pyroute2", "logging", "threading"},
    "config": {"socket", "time", "asyncio", "pyroute2", "subprocess", "threading"},
    "loop": {"asyncio", "pyroute2", "fastvrrp.config"},
}

FILES = sorted(
    path
    for pattern in ("*.py", "*.pyx", "*.pxd")
    for path in SOURCE.rglob(pattern)
    if path.parent != SOURCE or path.name != "__init__.py"
)


def unit(path: Path) -> str:
    """The name in LAYERS that a file belongs to."""
    return path.relative_to(SOURCE).parts[0].split(".")[0]


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports or cimports when it runs."""
    text = path.read_text()
    if path.suffix == ".py":
        yield from python_imports(ast.parse(text))
    else:
        for found in re.finditer(r"^\s*from ([\w.]+) c?import (\w+)?", text, re.MULTILINE):
            yield f"{found[1]}.{found[2]}" if found[1] == "fastvrrp" else found[1]
        yield from re.findall(r"^\s*c?import ([\w.]+)", text, re.MULTILINE)


def python_imports(tree: ast.AST) -> Iterator[str]:
    """As `imports`; what stands below `if TYPE_CHECKING` does not run."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield from (
                f"{base}.{alias.name}" if base == "fastvrrp" else base for alias in node.names
            )
        else:
            yield from python_imports(node)


def test_every_module_has_a_layer() -> None:
    assert {unit(path) for path in FILES} <= RANK.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_go_downwards(path: Path) -> None:
    own = unit(path)
    wrong = [
        name
        for name in imports(path)
        if name.startswith("fastvrrp.")
        and (other := name.split(".")[1]) in RANK
        and other != own
        and RANK[other] >= RANK[own]
    ]
    assert wrong == [], f"{own} is in layer {RANK[own]}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_pure_packages_stay_pure(path: Path) -> None:
    forbidden = FORBIDDEN.get(unit(path), set())
    used = {
        name for name in imports(path) for bad in forbidden if (name + ".").startswith(bad + ".")
    }
    assert used == set()


HOT = (
    "core/groups.pyx",
    "core/listeners.pyx",
    "core/machine.pyx",
    "core/queue.pyx",
    "core/reactions.pyx",
    "core/senders.pyx",
    "loop/announcing.pyx",
    "loop/transmit.pyx",
    "loop/turn.pyx",
    "loop/worker.pyx",
    "wire/auth.pyx",
    "wire/hmac.pyx",
)


@pytest.mark.parametrize("name", HOT)
def test_hot_files_define_nothing_that_needs_the_gil(name: str) -> None:
    # Cold: at the start, at the end, at a reload.
    allowed = {"create", "destroy", "allocate", "reserve", "let_go", "set_pace", "stats"}
    allowed |= {"make_ports", "make_events", "open_port", "watch", "checked"}
    definitions = re.findall(
        r"^cdef (?!enum|class|extern|struct)(?:inline )?[^=\n]*?(\w+)\(((?:.|\n)*?)\)([^\n]*):\n",
        (SOURCE / name).read_text(),
        re.MULTILINE,
    )
    assert definitions, "the pattern finds no definition; mend it"
    assert [
        f for f, _, tail in definitions if "noexcept nogil" not in tail and f not in allowed
    ] == []
