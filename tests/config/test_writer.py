"""`Config.to_text`, `checked` and `to_dict`: nothing gets lost on the way out of the model."""

import json
from dataclasses import replace
from ipaddress import ip_address, ip_interface
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest

from config.generate import random_config
from fastvrrp import config
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config import Config, ConfigError, Severity
from fastvrrp.config import jsonschema as own_schema
from fastvrrp.config.model import (
    Auth,
    AuthType,
    Command,
    GarpConfig,
    GlobalConfig,
    InstanceConfig,
    NotifyConfig,
    Peer,
    ScriptConfig,
    TrackUse,
    Version,
    VirtualAddress,
)
from fastvrrp.config.row import walk
from fastvrrp.config.schema import ROOT
from fastvrrp.secret import Secret

HERE = Path(__file__).parent
LOADED = {
    path.name: found
    for pattern in ("tests/config/golden/*.conf", "examples/*.conf")
    for path in sorted(HERE.parents[1].glob(pattern))
    if (found := config.examine(path)[0]) is not None
}
"""What files of ours say that hold no error."""

SEEDS = range(150)
REPORTED = (Severity.WARNING, Severity.ERROR)
VIP = VirtualAddress(address=ip_interface("192.0.2.100/24"))
ONE = InstanceConfig(name="V", interface="eth0", vrid=1, addresses=(VIP,))
SCRIPT = ScriptConfig(name="s", command=Command(argv=("/usr/bin/true",)))

HEAD = "vrrp_instance V {\n    interface eth0\n    virtual_router_id 1\n"
TAIL = "    virtual_ipaddress {\n        192.0.2.100/24\n    }\n}\n"

NOT_WRITTEN = {
    "preempt",  # that is so without it
    "vrrp_min_garp",  # the values that it stands for are written
    "interfaces",  # of a garp_group: `interface`, once for each
}
"""Keywords, without the old names of others, that no text of ours holds."""


def of(**fields: Any) -> Config:  # noqa: ANN401 - any field of an instance
    return Config(instances=(replace(ONE, **fields),))


def reported(loaded: Config) -> list[str]:
    """Return what is wrong; unicast_any_src is right, and told all the same (FV238)."""
    return [
        str(found)
        for found in loaded.diagnostics
        if found.severity in REPORTED and found.code != "FV238"
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_configuration_that_is_written_loads_to_an_equal_one(seed: int) -> None:
    made = random_config(Random(seed))
    loaded = config.loads(made.to_text())
    assert loaded == made
    assert reported(loaded) == []


def test_the_random_configurations_cover_every_keyword() -> None:
    written = {
        line.split()[0]
        for seed in range(300)
        for line in random_config(Random(seed)).to_text().splitlines()
    }
    expected = {row.name for _, row in walk(ROOT) if not row.alias and not row.instead}
    assert expected - written - NOT_WRITTEN == set()


@pytest.mark.parametrize("seed", range(20))
def test_the_text_of_a_text_is_the_same_text(seed: int) -> None:
    text = random_config(Random(seed)).to_text()
    assert config.loads(text).to_text() == text


@pytest.mark.parametrize("name", sorted(LOADED.keys() - {"line_continued.conf"}))
def test_what_a_file_says_survives_being_written(name: str) -> None:
    """What was corrected with a report stays as it was corrected."""
    read = LOADED[name]
    assert config.loads(read.to_text()) == read


def test_a_keyword_with_its_default_is_left_out() -> None:
    assert of().to_text() == HEAD + TAIL


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"priority": 150}, ["priority 150"]),
        ({"priority": 255}, ["state BACKUP", "priority 255"]),
        ({"priority": 255, "initial_active": True}, ["priority 255"]),
        ({"initial_active": True}, ["state MASTER", "priority 100"]),
        ({"preempt": False}, ["nopreempt"]),
        (
            {"version": Version.V3, "advert_interval": milliseconds(500)},
            ["advert_int 0.5", "version 3"],
        ),
        ({"accept": False}, ["no_accept"]),
        ({"source": ip_address("192.0.2.1")}, ["mcast_src_ip 192.0.2.1"]),
        (
            {"garp": GarpConfig(delay=seconds(1))},
            ["garp_master_delay 1", "garp_lower_prio_delay 5"],
        ),
        (
            {"garp": GarpConfig(delay=seconds(1), lower_prio_delay=seconds(1))},
            ["garp_master_delay 1"],
        ),
    ],
)
def test_a_value_that_follows_from_others_is_written_only_if_it_does_not(
    fields: dict[str, Any], lines: list[str]
) -> None:
    between = "".join(f"    {line}\n" for line in lines)
    text = of(**fields).to_text()
    assert sorted(text.splitlines()) == sorted((HEAD + between + TAIL).splitlines())
    assert config.loads(text) == of(**fields)


def test_unicast_is_written_with_its_own_keyword_for_the_source() -> None:
    made = of(source=ip_address("192.0.2.1"), peers=(Peer(address=ip_address("192.0.2.2")),))
    assert "unicast_src_ip 192.0.2.1\n" in made.to_text()
    assert config.loads(made.to_text()) == made


def test_what_global_defs_says_is_not_repeated_by_its_instances() -> None:
    late = GarpConfig(delay=seconds(9), lower_prio_delay=seconds(9), repeat=2, lower_prio_repeat=2)
    made = replace(of(garp=late, version=Version.V3), global_defs=GlobalConfig(
        garp=late, vrrp_version=Version.V3
    ))  # fmt: skip
    assert made.to_text().endswith(HEAD + TAIL)
    assert config.loads(made.to_text()) == made


@pytest.mark.parametrize(
    ("global_defs", "line"),
    [
        (GlobalConfig(vrrp_version=Version.V3), "version 2"),
        (GlobalConfig(vrrp_skip_check_adv_addr=True), "skip_check_adv_addr off"),
    ],
)
def test_what_differs_from_global_defs_is_written(global_defs: GlobalConfig, line: str) -> None:
    made = replace(of(), global_defs=global_defs)
    assert f"    {line}\n" in made.to_text()
    assert config.loads(made.to_text()) == made


# --- what no text can say


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": "two\nlines"}, "vrrp_instance"),
        ({"name": 'a"b'}, "vrrp_instance"),
        ({"interface": "nul\0"}, "interface"),
        ({"auth": Auth(type=AuthType.PASS, password=Secret(b'say"it'))}, "auth_pass"),
        ({"scripts": (TrackUse(name="x\ny"),)}, "track_script"),
        ({"notify": NotifyConfig(always=Command(argv=("/x",), user="\\"))}, "notify"),
        ({"name": "x" * 1100}, "vrrp_instance"),
    ],
)
def test_what_no_text_can_say_is_an_error_that_names_the_keyword(
    fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        of(**fields).to_text()
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.file) == ("FV113", "<Config>")
    assert f"value of {named}:" in found.message


def test_no_error_shows_a_secret() -> None:
    auth = Auth(type=AuthType.PASS, password=Secret(b"hunter2"))
    made = Config(instances=(replace(ONE, auth=auth), replace(ONE, name="W", auth=auth)))
    with pytest.raises(ConfigError) as caught:
        made.checked()
    shown = [*caught.value.diagnostics, caught.value]
    assert "hunter2" not in "".join(map(str, shown))
    assert "hunter2" in made.to_text()


# --- configurations that are built in Python


def test_a_value_out_of_range_has_the_same_message_as_in_a_text() -> None:
    loaded = config.loads(HEAD + "    priority 300\n" + TAIL)
    with pytest.raises(ConfigError) as caught:
        of(priority=300).checked()
    (found,) = caught.value.diagnostics
    assert (found.code, found.severity, found.span.file) == ("FV104", Severity.ERROR, "<Config>")
    assert found.message == loaded.diagnostics[0].message
    assert found.source == "    priority 300"


def test_what_is_only_corrected_is_no_error() -> None:
    checked = of(priority=255, preempt=False).checked()
    assert checked.instances[0].preempt
    assert [found.code for found in checked.diagnostics] == ["FV207"]


def test_what_cannot_run_is_an_error() -> None:
    made = Config(instances=(ONE, replace(ONE, name="W")))
    with pytest.raises(ConfigError) as caught:
        made.checked()
    assert [found.code for found in caught.value.diagnostics] == ["FV203"]


def test_the_rules_complete_what_python_left_open() -> None:
    made = replace(of(), global_defs=GlobalConfig(vrrp_min_garp=True))
    checked = made.checked()
    assert checked.instances[0].garp.repeat == 1
    assert checked.instances[0].garp.delay == Nanoseconds(0)


def test_a_checked_configuration_is_not_checked_again() -> None:
    checked = of().checked()
    assert checked.is_checked
    assert checked.checked() is checked
    assert config.loads(HEAD + TAIL).checked().is_checked


def test_a_change_to_a_checked_configuration_is_checked_again() -> None:
    changed = replace(of().checked(), instances=(replace(ONE, priority=300),))
    assert not changed.is_checked
    with pytest.raises(ConfigError):
        changed.checked()


# --- JSON


VALIDATOR = jsonschema.Draft202012Validator(
    own_schema.schema(), format_checker=jsonschema.FormatChecker()
)


def test_the_schema_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(own_schema.schema())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_json_form_of_a_configuration_fits_the_schema(seed: int) -> None:
    made = random_config(Random(seed)).to_dict()
    assert json.loads(json.dumps(made)) == made
    VALIDATOR.validate(made)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("instances", 0, "priority"), 300),
        (("instances", 0, "priority"), "100"),
        (("instances", 0, "version"), 3),
        (("instances", 0, "vrid"), 0),
        (("instances", 0, "unknown"), 1),
        (("instances", 0, "source"), 5),
        (("global_defs", "vrrp_version"), None),
        (("scripts", 0, "interval"), 0.5),
        (("scripts", 0, "weight"), 254),
    ],
)
def test_the_schema_refuses_what_the_model_cannot_hold(
    path: tuple[str | int, ...], value: object
) -> None:
    made = replace(of(), scripts=(SCRIPT,)).to_dict()
    VALIDATOR.validate(made)
    inner: Any = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not VALIDATOR.is_valid(made)


def test_json_has_units_names_and_no_secret() -> None:
    made = of(auth=Auth(type=AuthType.PASS, password=Secret(b"hunter2"))).to_dict()
    one = made["instances"][0]
    assert one["advert_interval"] == 1_000_000_000
    assert one["version"] == "V2"
    assert one["auth"] == {"type": "PASS", "password": "***"}
    assert one["addresses"][0]["address"] == "192.0.2.100/24"
    assert "span" not in one
    assert "diagnostics" not in made


def test_json_tells_which_of_several_dataclasses_an_object_is() -> None:
    loaded = config.loads(
        "virtual_server fwmark 7 {\nlvs_sched rr\nlvs_method NAT\n"
        "real_server 192.0.2.1 80 {\nTCP_CHECK {\n}\nPING_CHECK {\n}\n}\n}\n"
    )
    server = loaded.to_dict()["virtual_servers"][0]
    assert server["service"] == {"kind": "FwmarkService", "mark": 7}
    kinds = [check["kind"] for check in server["real_servers"][0]["checkers"]]
    assert kinds == ["TcpCheck", "PingCheck"]


def test_the_schema_says_what_the_rows_say() -> None:
    definitions: Any = own_schema.schema()["$defs"]
    priority = definitions["InstanceConfig"]["properties"]["priority"]
    assert priority["description"] == "The highest becomes active."
    assert (priority["minimum"], priority["maximum"], priority["default"]) == (1, 255, 100)
    interval = definitions["InstanceConfig"]["properties"]["advert_interval"]
    assert interval["description"].endswith("In nanoseconds.")
    assert interval["minimum"] == 10_000_000


@pytest.mark.parametrize("password", ["$_PWDx", "${_PWDx}", "$_ENVY"])
def test_what_is_like_a_predefined_name_and_none_can_be_written(password: str) -> None:
    text = f"""vrrp_instance V {{
    interface eth0
    virtual_router_id 5
    authentication {{
        auth_type PASS
        auth_pass "{password}"
    }}
    virtual_ipaddress {{
        192.0.2.1
    }}
}}"""
    loaded = config.loads(text)
    assert config.loads(loaded.to_text()) == loaded


@pytest.mark.parametrize(
    "wrong", [{"addresses": None}, {"addresses": ["192.0.2.1"]}, {"interface": 5}, {"vrid": None}]
)
def test_a_value_of_the_wrong_type_is_a_config_error(wrong: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"name": "V", "interface": "eth0", "vrid": 5, **wrong}
    with pytest.raises(config.ConfigError):
        Config(instances=(InstanceConfig(**fields),)).checked()
