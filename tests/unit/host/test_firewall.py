"""What is dropped with accept mode off, and how the table is replaced, on a socket that records."""

import errno
from ipaddress import ip_address

import pytest

from fastvrrp.config import loads
from fastvrrp.config.model import Config, FirewallConfig, InstanceConfig, VirtualAddress
from fastvrrp.errors import KernelError
from fastvrrp.host import firewall
from fastvrrp.host.firewall import Drop, Firewall, drops


def config(text: str, *, globals_: str = "") -> Config:
    return loads(f"global_defs {{ {globals_} }}\n{text}")


def instance(name: str, vrid: int, *vips: str, more: str = "no_accept") -> str:
    return f"""
vrrp_instance {name} {{
    interface eth0
    version 3
    virtual_router_id {vrid}
    {more}
    virtual_ipaddress {{
        {chr(10).join(vips)}
    }}
}}
"""


def interface_of(owner: InstanceConfig, vip: VirtualAddress) -> str | None:
    return vip.interface or owner.interface


def index_of(name: str) -> int | None:
    return {"eth0": 2}.get(name)


def dropped(found: Config) -> set[tuple[str, str | int | None]]:
    return {(str(d.address), d.interface) for d in drops(found, interface_of, index_of)}


def test_addresses_of_an_instance_without_accept_mode_are_dropped() -> None:
    text = instance("A", 1, "10.0.0.1", "10.0.0.2/24 dev eth1") + instance(
        "B", 2, "10.0.0.3", more=""
    )
    assert dropped(config(text)) == {("10.0.0.1", None), ("10.0.0.2", None)}


def test_excluded_addresses_are_dropped_as_well() -> None:
    more = "no_accept\n virtual_ipaddress_excluded {\n fd00::1\n }"
    assert dropped(config(instance("A", 1, "10.0.0.1", more=more))) == {
        ("10.0.0.1", None),
        ("fd00::1", None),
    }


def test_the_owner_of_its_addresses_accepts() -> None:
    assert not dropped(config(instance("A", 1, "10.0.0.1", more="no_accept\n priority 255")))


def test_an_address_that_another_instance_accepts_is_accepted() -> None:
    text = instance("A", 1, "10.0.0.1", "10.0.0.2") + instance("B", 2, "10.0.0.1", more="")
    assert dropped(config(text)) == {("10.0.0.2", None)}


@pytest.mark.parametrize(
    ("globals_", "expected"),
    [("", {("fe80::1", "eth0"), ("fe80::1", "eth1")}), ("nftables_ifindex", {("fe80::1", 2)})],
)
def test_a_link_local_address_is_one_of_its_interface(
    globals_: str, expected: set[tuple[str, str | int | None]]
) -> None:
    """By index, an interface that is not there has none."""
    text = instance("A", 1, "fe80::1") + instance("B", 2, "fe80::1 dev eth1")
    assert dropped(config(text, globals_=globals_)) == expected


class Kernel:
    """Answers batches with the errnos in `answers`, then with 0; keeps what it is sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.sockets: list[FakeSocket] = []

    def open(self) -> "FakeSocket":
        self.sockets.append(FakeSocket(self))
        return self.sockets[-1]


class FakeSocket:
    def __init__(self, kernel: Kernel) -> None:
        self.batches: list[bytes] = []
        self.is_closed = False
        self._kernel = kernel

    def carry_out(self, batch: bytes) -> int:
        self.batches.append(batch)
        return self._kernel.answers.pop(0) if self._kernel.answers else 0

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(firewall, "NftSocket", made.open)
    return made


ONE = frozenset({Drop(address=ip_address("10.0.0.1"))})
TWO = ONE | {Drop(address=ip_address("10.0.0.2"))}
SETTINGS = FirewallConfig()


def test_nothing_to_drop_opens_no_socket(kernel: Kernel) -> None:
    Firewall().update(FirewallConfig(counters=True), frozenset())
    assert not kernel.sockets


def test_each_change_is_one_batch_and_no_change_is_none(kernel: Kernel) -> None:
    table = Firewall()
    for wanted in (ONE, ONE, TWO, TWO):
        table.update(SETTINGS, wanted)
    assert len(kernel.sockets) == 1
    assert len(kernel.sockets[0].batches) == 2
    assert table.undos == ()


def test_when_nothing_is_left_the_table_is_removed(kernel: Kernel) -> None:
    table = Firewall()
    table.update(SETTINGS, ONE)
    table.update(SETTINGS, frozenset())
    assert kernel.sockets[0].is_closed
    table.update(SETTINGS, ONE)
    assert [len(one.batches) for one in kernel.sockets] == [2, 1]


def test_what_the_kernel_refuses_is_an_error_and_changes_nothing(
    kernel: Kernel,
) -> None:
    table = Firewall()
    table.update(SETTINGS, ONE)
    kernel.answers = [errno.ENOMEM]
    with pytest.raises(KernelError, match="nftables table keepalived: Cannot allocate"):
        table.update(SETTINGS, TWO)
    table.update(SETTINGS, ONE)
    assert len(kernel.sockets[0].batches) == 2
    assert not kernel.sockets[0].is_closed
    table.update(SETTINGS, TWO)
    assert len(kernel.sockets[0].batches) == 3


def test_a_kernel_without_nftables_is_an_error(kernel: Kernel) -> None:
    kernel.answers = [errno.EOPNOTSUPP] * 2
    with pytest.raises(KernelError, match="drop packets \\(no_accept\\)"):
        Firewall().update(SETTINGS, ONE)
    assert kernel.sockets[0].is_closed


def test_a_kernel_that_knows_no_owners_is_told_how_to_undo(kernel: Kernel) -> None:
    """Given Linux before 5.12, then the table is made without owner, and what removes it is told
    for the time after a crash."""
    table = Firewall()
    kernel.answers = [errno.EOPNOTSUPP]
    table.update(SETTINGS, ONE)
    assert len(kernel.sockets[0].batches) == 2
    (undo,) = table.undos
    assert undo.text == "nftables table inet keepalived"
    assert b"keepalived\0" in undo.batch
    table.update(SETTINGS, TWO)
    assert len(kernel.sockets[0].batches) == 3
    table.close()
    assert kernel.sockets[0].batches[-1] == undo.batch
    assert table.undos == ()
