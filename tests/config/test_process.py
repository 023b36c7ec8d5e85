"""Keywords that stand outside of all blocks: value, default, what a bad one does."""

import pytest

from fastvrrp import config
from fastvrrp.clock import seconds
from fastvrrp.config import Severity
from fastvrrp.config.model import ProcessConfig
from fastvrrp.config.row import FULL, IGNORED, NOT_RUN, REFUSED, Keyword, Support
from fastvrrp.config.schema.process import PROCESS


def found(text: str, *severities: Severity) -> list[str]:
    """Return the codes of the findings of some severities."""
    return [one.code for one in config.loads(text).diagnostics if one.severity in severities]


VALUES: list[tuple[str, str, object]] = [
    ("net_namespace blue", "net_namespace", "blue"),
    ("net_namespace_ipvs red", "ipvs_namespace", "red"),
    ("net_namespace_ipvs", "ipvs_namespace", ""),
    ("namespace_with_ipsets", "namespace_with_ipsets", True),
    ("instance one", "instance", "one"),
    ("use_pid_dir", "use_pid_dir", True),
    ("child_wait_time 0", "child_wait_time", 0),
    ("child_wait_time 60", "child_wait_time", seconds(60)),
    ("linkbeat_use_polling", "linkbeat_polling", True),
]


@pytest.mark.parametrize(("line", "field", "value"), VALUES)
def test_values_outside_of_blocks(line: str, field: str, value: object) -> None:
    assert getattr(config.loads(line).process, field) == value
    assert found(line, Severity.WARNING, Severity.ERROR) == []


@pytest.mark.parametrize(
    "line", ["net_namespace", "instance", "child_wait_time x", "child_wait_time -1"]
)
def test_bad_values_outside_of_blocks_are_told(line: str) -> None:
    assert config.loads(line).process == ProcessConfig()
    assert found(line, Severity.WARNING, Severity.ERROR)


@pytest.mark.parametrize("keyword", ["instance", "net_namespace"])
def test_names_of_the_process_do_not_change(keyword: str) -> None:
    text = f"{keyword} one\n{keyword} two"
    assert found(text, Severity.WARNING) == ["FV106"]
    assert getattr(config.loads(text).process, keyword) == "one"


@pytest.mark.parametrize("line", [line for line, _, _ in VALUES])
def test_words_of_the_process_do_not_belong_into_global_defs(line: str) -> None:
    text = f"global_defs {{\n{line}\n}}"
    assert found(text, Severity.WARNING, Severity.ERROR) == ["FV101"]


@pytest.mark.parametrize("line", ["router_id r1", "vrrp_version 3", "lvs_flush"])
def test_global_words_do_not_belong_outside(line: str) -> None:
    assert found(line, Severity.WARNING, Severity.ERROR) == ["FV101"]


@pytest.mark.parametrize(
    ("line", "support"),
    [
        ("net_namespace blue", REFUSED),
        ("net_namespace_ipvs red", NOT_RUN),
        ("instance one", IGNORED),
        ("use_pid_dir", IGNORED),
        ("child_wait_time 60", IGNORED),
        ("linkbeat_use_polling", FULL),
    ],
)
def test_support(line: str, support: Support) -> None:
    """In the wrong network namespace nothing is run."""
    row = next(row for row in PROCESS if row.name == line.split(maxsplit=1)[0])
    assert row.support is support
    assert bool(config.loads(line).unsupported) is (support is REFUSED)


@pytest.mark.parametrize("line", [line for line, _, _ in VALUES])
def test_what_is_written_reads_back(line: str) -> None:
    row = next(row for row in PROCESS if row.name == line.split(maxsplit=1)[0])
    assert isinstance(row, Keyword)
    process = config.loads(line).process
    words = row.kind.write(getattr(process, row.key.removeprefix("process.")))
    assert words is not None
    assert config.loads(f"{row.name} {words}").process == process
