"""Keys of auth_hmac, from the configuration and its files to the core."""

import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest

from fastvrrp import config
from fastvrrp.config.model import InstanceConfig
from fastvrrp.errors import ConfigError
from fastvrrp.keys import KeyFileError, hmac_params, parse_key, read_key_file

KEY = bytes(range(65, 97))
BODY = """\
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    advert_int 2
    auth_hmac {{
        {0}
    }}
    virtual_ipaddress {{
        192.0.2.1/24
    }}
}}
"""


def instance(*lines: str) -> InstanceConfig:
    text = BODY.format("\n        ".join(lines))
    return config.loads(text, filename="ha.conf").instances[0]


def file_with(tmp_path: Path, content: bytes, *, mode: int = 0o600, name: str = "vrrp.key") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_without_auth_hmac_there_are_no_keys() -> None:
    plain = config.loads(BODY.replace("auth_hmac {{\n        {0}\n    }}\n", "").format())
    assert hmac_params(plain.instances[0]) is None


def test_everything_that_auth_hmac_says_reaches_the_core(tmp_path: Path) -> None:
    path = file_with(tmp_path, KEY + b"\n")
    found = hmac_params(
        instance(
            f"key 3 file:{path}",
            "key 200 hex:" + "0a" * 64,
            "active_key 200",
            "anti_replay monotonic",
            "mode receive-only",
        )
    )
    assert found is not None
    assert found.keys == ((3, KEY), (200, b"\n" * 64))
    assert (found.active_key, found.monotonic, found.window, found.mode) == (200, True, 6, 2)
    assert not found.hold
    assert "AB" not in repr(found)


@pytest.mark.parametrize(("mode", "number"), [("enforce", 0), ("permissive", 1)])
def test_modes_have_the_numbers_of_the_core(mode: str, number: int) -> None:
    found = hmac_params(
        instance("key 1 " + "k" * 32, "active_key 1", f"mode {mode}", "time_window 300")
    )
    assert found is not None
    assert (found.mode, found.monotonic, found.window) == (number, False, 300)


def test_the_directory_of_credentials_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As systemd's LoadCredential= gives it."""
    file_with(tmp_path, KEY, mode=0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    found = hmac_params(
        instance("key 1 file:${_ENV CREDENTIALS_DIRECTORY}/vrrp.key", "active_key 1")
    )
    assert found is not None
    assert found.keys == ((1, KEY),)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (KEY, KEY),
        (KEY + b"\n", KEY),
        (KEY + b"\r\n\n\n", KEY),
        (b"hex:" + KEY.hex().encode() + b"\n", KEY),
        (b"hex: " + KEY.hex(" ").upper().encode(), KEY),
        (b" " + KEY, b" " + KEY),
        (b"k" * 64, b"k" * 64),
    ],
)
def test_a_file_holds_a_key_as_text_or_in_hex(tmp_path: Path, content: bytes, key: bytes) -> None:
    data, mode = read_key_file(str(file_with(tmp_path, content)))
    assert parse_key(data) == key
    assert mode == 0o600


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "32 to 64 bytes, this one 0"),
        (b"k" * 31, "this one 31"),
        (b"k" * 65, "this one 65"),
        (b"hex:" + b"0" * 63, "no hexadecimal number"),
        (b"hex:" + b"zz" * 32, "no hexadecimal number"),
        (b"hex:" + b"00" * 65, "this one 65"),
        ("é".encode() * 32, "not ASCII"),
        (b"k" * 140, "longer than 139 bytes"),
    ],
)
def test_what_is_no_key_is_refused_at_its_place(tmp_path: Path, content: bytes, why: str) -> None:
    path = file_with(tmp_path, content)
    with pytest.raises(ConfigError, match=why) as caught:
        hmac_params(instance("key 1 " + "k" * 32, f"key 2 file:{path}", "active_key 1"))
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.file, found.span.line) == ("FV511", "ha.conf", 7)
    assert found.context == "vrrp_instance VI_1"
    assert content.decode() not in str(found) or not content


def test_every_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    lines = [f"key {number} file:{tmp_path}/{number}.key" for number in (1, 2)]
    with pytest.raises(ConfigError) as caught:
        hmac_params(instance(*lines, "active_key 1"))
    assert [found.span.line for found in caught.value.diagnostics] == [6, 7]
    assert "No such file" in caught.value.diagnostics[1].message


def test_nothing_but_a_regular_file_is_read(tmp_path: Path) -> None:
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(file_with(tmp_path, KEY))
    with pytest.raises(KeyFileError, match="no regular file"):
        read_key_file(str(fifo))  # and does not wait for a writer
    with pytest.raises(KeyFileError, match="no regular file"):
        read_key_file(str(tmp_path))
    with pytest.raises(KeyFileError) as caught:
        read_key_file(str(link))
    assert "symbolic link" in caught.value.hint


def test_a_file_of_another_account_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_with(tmp_path, KEY)
    real = os.fstat

    def somebody_elses(fd: int) -> os.stat_result:
        fields = list(real(fd))
        fields[4] = 4711
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", somebody_elses)
    with pytest.raises(KeyFileError, match="another account"):
        read_key_file(str(path))
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert read_key_file(str(path))[0] == KEY


@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o640, 1), (0o604, 1), (0o400, 0)])
def test_a_file_that_others_can_read_is_used_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: int
) -> None:
    path = file_with(tmp_path, KEY, mode=mode)
    with caplog.at_level(logging.WARNING):
        found = hmac_params(instance(f"key 1 file:{path}", "active_key 1"))
    assert found is not None
    assert found.keys == ((1, KEY),)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == warned
    assert all(str(path) in text and "VI_1" in text and "ABC" not in text for text in told)


def test_a_configuration_built_in_python_is_checked_alike() -> None:
    built = instance("key 1 " + "k" * 32, "active_key 1")
    assert built.hmac is not None
    found = hmac_params(replace(built, hmac=replace(built.hmac, time_window=None)))
    assert found is not None
    assert found.window == 5
    without = replace(built, hmac=replace(built.hmac, active_key=2))
    with pytest.raises(ConfigError, match="active_key must be one of the keys"):
        hmac_params(without)
