"""Which configurations an engine takes: it checks what was built in Python, and refuses what it
cannot do."""

import logging
from dataclasses import replace
from ipaddress import ip_interface

import pytest

from fastvrrp import Config, ConfigError, Engine, loads
from fastvrrp.config.model import Command, GlobalConfig, InstanceConfig, VirtualAddress

VIP = VirtualAddress(address=ip_interface("192.0.2.100/24"))
ONE = InstanceConfig(name="V", interface="eth0", vrid=1, addresses=(VIP,))
TEXT = """\
global_defs {
    notify_fifo /run/f
    vrrp_notify_fifo /run/g
}
vrrp_instance V {
    interface eth0
    virtual_router_id 1
    virtual_ipaddress {
        192.0.2.100/24
    }
}
"""


def test_a_configuration_from_a_text_is_taken_as_it_is() -> None:
    loaded = loads(Config(instances=(ONE,)).to_text())
    assert Engine(loaded).config is loaded


def test_a_configuration_from_python_is_checked_and_completed() -> None:
    engine = Engine(Config(instances=(ONE,)))
    assert engine.config == Config(instances=(ONE,))
    assert engine.config.is_checked


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="priority 300 is outside 1 to 255"):
        Engine(Config(instances=(replace(ONE, priority=300),)))


def test_what_keepalived_would_not_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="share virtual_router_id 1"):
        Engine(Config(instances=(ONE, replace(ONE, name="W"))))


def test_what_the_engine_cannot_do_is_refused_with_place_and_remedy() -> None:
    loaded = loads(TEXT, filename="k.conf")
    with pytest.raises(ConfigError) as caught:
        Engine(loaded)
    shown = str(caught.value)
    assert [found.code for found in caught.value.diagnostics] == ["FV111", "FV111"]
    for part in ("k.conf:2:5", "notify_fifo", "k.conf:3:5", "vrrp_notify_fifo", "hint: "):
        assert part in shown


def test_what_python_asks_for_in_vain_is_refused_as_well() -> None:
    with pytest.raises(ConfigError, match="startup_script is not supported yet"):
        Engine(
            Config(instances=(ONE,), global_defs=GlobalConfig(startup_script=Command(argv=("/l",))))
        )


def test_what_was_corrected_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "fastvrrp.engine"):
        engine = Engine(Config(instances=(replace(ONE, priority=255, preempt=False),)))
    assert engine.config.instances[0].preempt
    assert "nopreempt has no effect" in caplog.text
