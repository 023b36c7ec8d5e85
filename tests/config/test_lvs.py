"""`virtual_server`, `real_server`, groups and `SSL`: values, defaults, corrections."""

from ipaddress import ip_address, ip_network

import pytest

from config.lvs_text import (
    COMPLETE,
    MARKED,
    notes,
    one,
    one_real,
    read,
    real_server,
    virtual_server,
)
from fastvrrp import config
from fastvrrp.clock import NS_PER_SECOND, seconds
from fastvrrp.config.diagnostics import Severity
from fastvrrp.config.model import (
    AddressService,
    Command,
    Forwarding,
    ForwardingKind,
    FwmarkService,
    GroupAddresses,
    GroupEntry,
    GroupFwmark,
    GroupNetwork,
    GroupService,
    Protocol,
    RealServer,
    Scheduler,
    ServerAddress,
    Service,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    VirtualServer,
)
from fastvrrp.config.row import NOT_RUN, Block, Keyword, walk
from fastvrrp.config.schema.lvs import LVS
from fastvrrp.secret import Secret

V4, V6 = ip_address("192.0.2.1"), ip_address("2001:db8::1")
NAT, DR = Forwarding(kind=ForwardingKind.NAT), Forwarding(kind=ForwardingKind.DR)
GROUP = "virtual_server_group G {\n192.0.2.1 80\n}\n"
INSTANCE = """vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.1/24
    }
}
"""


def server(address: str, port: int | None = None) -> ServerAddress:
    return ServerAddress(address=ip_address(address), port=port)


def tunnel(**options: object) -> Forwarding:
    return Forwarding(kind=ForwardingKind.TUN, tunnel=Tunnel(**options))  # type: ignore[arg-type]


# --- the whole


def test_a_file_with_both_halves_loads_and_says_once_that_one_is_not_run() -> None:
    loaded = read(INSTANCE + virtual_server() + virtual_server(head="192.0.2.1 81") + GROUP)
    assert len(loaded.instances) == 1
    assert len(loaded.virtual_servers) == 2
    assert not loaded.unsupported
    told = [d for d in loaded.diagnostics if d.code == "FV110"]
    assert [d.message.split()[0] for d in told] == ["virtual_server"]
    assert {d.severity for d in told} == {Severity.NOTE}


@pytest.mark.parametrize("row", LVS, ids=lambda row: row.name)
def test_every_row_is_marked_as_not_run(row: Block | Keyword) -> None:
    assert isinstance(row, Block)
    rows = [row, *(inner for _, inner in walk(row))]
    assert all(inner.support is NOT_RUN and inner.why for inner in rows)


def test_defaults_of_a_virtual_server() -> None:
    assert one(virtual_server(base="protocol TCP\n"), "FV404", "FV404") == VirtualServer(
        service=AddressService(address=V4, port=80),
        scheduler=Scheduler.WLC,
        forwarding=NAT,
        protocol=Protocol.TCP,
        interval=seconds(60),
        connect_timeout=seconds(5),
        weight=1,
        quorum=1,
        hysteresis=0,
        real_servers=(RealServer(server=server("10.0.0.1", 80)),),
    )


def test_places_are_kept_and_make_no_difference() -> None:
    found = one(virtual_server())
    moved = one("\n\n" + virtual_server())
    assert found == moved
    assert found.span is not None
    assert moved.span is not None
    assert (found.span.line, moved.span.line) == (1, 3)
    assert found.real_servers[0].span is not None


# --- services


@pytest.mark.parametrize(
    ("head", "base", "service"),
    [
        ("192.0.2.1 80", COMPLETE, AddressService(address=V4, port=80)),
        ("fwmark 7", MARKED, FwmarkService(mark=7)),
        ("group G", COMPLETE, GroupService(name="G")),
    ],
)
def test_services(head: str, base: str, service: Service) -> None:
    assert one(GROUP + virtual_server(head=head, base=base)).service == service


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("300.0.2.1 80", "FV103"),
        ("192.0.2.1 99999", "FV104"),
        ("192.0.2.1 http", "FV103"),
        ("fwmark x", "FV103"),
        ("fwmark 4294967296", "FV104"),
        ("fwmark 0", "FV104"),
    ],
)
def test_a_virtual_server_of_no_service_is_skipped(head: str, code: str) -> None:
    assert read(virtual_server(head=head), code).virtual_servers == ()


@pytest.mark.parametrize("head", ["", "fwmark", "group"])
def test_a_service_that_is_not_named_is_an_error(head: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.loads(virtual_server(head=head))
    assert "FV102" in [d.code for d in caught.value.diagnostics]


def test_words_behind_a_service_are_told() -> None:
    assert notes(virtual_server(head="192.0.2.1 53 dev eth0")) == ["FV105"]


@pytest.mark.parametrize("port", ["", " 0"])
def test_all_ports_need_persistence(port: str) -> None:
    text = virtual_server(head=f"192.0.2.1{port}")
    assert one(text, "FV408").persistence_timeout == seconds(360)
    text = virtual_server("persistence_timeout 50", head=f"192.0.2.1{port}")
    assert one(text).persistence_timeout == seconds(50)


def test_two_virtual_servers_for_one_service_are_told() -> None:
    assert notes(virtual_server() + virtual_server()) == ["FV417"]
    assert notes(virtual_server() + virtual_server(base=COMPLETE.replace("TCP", "UDP"))) == []


# --- values of virtual_server


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        *((f"lvs_sched {name.value}", "scheduler", name) for name in Scheduler),
        ("lb_algo sed", "scheduler", Scheduler.SED),
        ("lvs_method DR", "forwarding", DR),
        ("lb_kind DR", "forwarding", DR),
        ("lvs_method NAT type ipip", "forwarding", NAT),
        ("lvs_method TUN", "forwarding", tunnel()),
        (
            "lvs_method TUN type gue port 6080 remcsum",
            "forwarding",
            tunnel(type=TunnelType.GUE, port=6080, checksum=TunnelChecksum.REMOTE),
        ),
        (
            "lvs_method TUN type gre csum",
            "forwarding",
            tunnel(type=TunnelType.GRE, checksum=TunnelChecksum.NORMAL),
        ),
        ("protocol udp", "protocol", Protocol.UDP),
        ("protocol Sctp", "protocol", Protocol.SCTP),
        ("delay_loop 0.000001", "interval", 1000),
        ("delay_loop 5000", "interval", seconds(5000)),
        ("connect_timeout 4294.967295", "connect_timeout", 4294967295000),
        ("retry 1", "retries", 1),
        ("delay_before_retry 0", "retry_delay", 0),
        ("warmup 1.5", "warmup", 1_500_000_000),
        ("inhibit_on_failure", "inhibit", True),
        ("weight 2147483647", "weight", 2**31 - 1),
        ("persistence_timeout", "persistence_timeout", seconds(360)),
        ("persistence_timeout 2678400", "persistence_timeout", 2678400 * NS_PER_SECOND),
        ("persistence_granularity 255.255.255.0", "persistence_timeout", seconds(360)),
        ("persistence_timeout 5\npersistence_engine sip", "persistence_engine", "sip"),
        ("flag-1", "scheduler_flag_1", True),
        ("flag-2", "scheduler_flag_2", True),
        ("flag-3", "scheduler_flag_3", True),
        ("lvs_sched sh\nsh-port", "scheduler_flag_2", True),
        ("lvs_sched mh\nmh-fallback", "scheduler_flag_1", True),
        ("alpha", "alpha", True),
        ("omega", "omega", True),
        ("ha_suspend", "ha_suspend", True),
        ("quorum_up /bin/true root", "quorum_up", Command(argv=("/bin/true",), user="root")),
        ('quorum_down "/bin/a b"', "quorum_down", Command(argv=("/bin/a", "b"))),
        ("smtp_alert", "smtp_alert", True),
        ("smtp_alert off", "smtp_alert", False),
        ("virtualhost www", "host", "www"),
        ("snmp_name a", "snmp_name", "a"),
        ("ip_family inet", "family", 4),
        ("sorry_server 10.0.0.9 81", "sorry_server", server("10.0.0.9", 81)),
        ("sorry_server 10.0.0.9", "sorry_server", server("10.0.0.9", 80)),
        ("sorry_server 10.0.0.9 80\nsorry_server_inhibit", "sorry_inhibit", True),
        ("sorry_server 10.0.0.9 80\nsorry_server_lvs_method DR", "sorry_forwarding", DR),
    ],
)
def test_values_of_a_virtual_server(body: str, field: str, value: object) -> None:
    assert getattr(one(virtual_server(body)), field) == value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("lvs_sched foo", "FV103"),
        ("lvs_sched RR", "FV103"),
        ("lvs_method nat", "FV103"),
        ("lvs_method FNAT", "FV103"),
        ("lvs_method DR extra", "FV103"),
        ("lvs_method TUN type foo", "FV103"),
        ("lvs_method TUN type gue", "FV410"),
        ("lvs_method TUN type ipip port 3", "FV410"),
        ("lvs_method TUN csum", "FV410"),
        ("lvs_method TUN type gre remcsum", "FV410"),
        ("lvs_method TUN type gue port 70000", "FV104"),
        ("protocol XYZ", "FV103"),
        ("delay_loop 0", "FV104"),
        ("delay_loop -1", "FV103"),
        ("delay_loop 6s", "FV103"),
        ("connect_timeout 0", "FV104"),
        ("connect_timeout 5000", "FV104"),
        ("retry 0", "FV104"),
        ("retry 5000000000", "FV104"),
        ("delay_before_retry -2", "FV103"),
        ("warmup x", "FV103"),
        ("weight 0", "FV104"),
        ("weight 3000000000", "FV104"),
        ("persistence_timeout 0", "FV104"),
        ("persistence_timeout 2678401", "FV104"),
        ("persistence_timeout off", "FV103"),
        ("persistence_granularity x", "FV103"),
        ("quorum 0", "FV104"),
        ("quorum x", "FV103"),
        ("hysteresis -1", "FV104"),
        ("smtp_alert foo", "FV103"),
        ("virtualhost", "FV103"),
        ("ip_family foo", "FV103"),
        ("sorry_server 10.0.0.999 80", "FV103"),
        ("sorry_server 10.0.0.9 99999", "FV104"),
        ("hashed", "FV419"),
        ("flag-4", "FV101"),
        ("uthreshold 5", "FV101"),
        ("nat_mask 255.255.255.0", "FV101"),
    ],
)
def test_what_cannot_be_used_is_reported_and_left_out(body: str, code: str) -> None:
    assert one(virtual_server(body), code) == one(virtual_server())


@pytest.mark.parametrize(
    ("base", "codes"),
    [
        (MARKED, ["FV404"]),
        ("lvs_sched rr\nprotocol TCP\n", ["FV404"]),
        ("lvs_sched rr\nlvs_method FNAT\nprotocol TCP\n", ["FV103"]),
        ("", ["FV404", "FV404", "FV404"]),
    ],
)
def test_defaults_are_told_once(base: str, codes: list[str]) -> None:
    one(virtual_server(base=base), *codes)


def test_without_protocol_it_is_udp() -> None:
    assert one(virtual_server(base=MARKED), "FV404").protocol is Protocol.UDP


def test_the_first_script_counts() -> None:
    found = one(virtual_server("quorum_up /bin/a\nquorum_up /bin/b"), "FV106")
    assert found.quorum_up == Command(argv=("/bin/a",))


@pytest.mark.parametrize("word", ["alpha", "omega", "inhibit_on_failure"])
def test_flags_of_a_virtual_server_take_no_value(word: str) -> None:
    text = virtual_server(f"{word} off")
    field = "inhibit" if word == "inhibit_on_failure" else word
    assert getattr(one(text), field) is True
    assert notes(text) == ["FV105"]


# --- persistence


@pytest.mark.parametrize(
    ("head", "words", "value", "codes"),
    [
        ("192.0.2.1 80", "255.0.255.0", ip_address("255.0.255.0"), []),
        ("192.0.2.1 80", "24", ip_address("0.0.0.24"), []),
        ("2001:db8::80 80", "64", 64, []),
        ("2001:db8::80 80", "129", None, ["FV104"]),
        ("2001:db8::80 80", "255.255.0.0", None, ["FV406"]),
    ],
)
def test_granularity_is_that_of_the_family(
    head: str, words: str, value: object, codes: list[str]
) -> None:
    address = "10.0.0.1" if "." in head else "2001:db8::1"
    text = virtual_server(
        f"persistence_granularity {words}",
        head=head,
        servers=real_server(head=f"{address} 80"),
    )
    assert one(text, *codes).persistence_granularity == value


def test_a_prefix_length_for_ipv4_is_told() -> None:
    assert notes(virtual_server("persistence_granularity 24")) == ["FV418"]


def test_an_engine_without_persistence_and_one_that_linux_lacks_are_told() -> None:
    assert notes(virtual_server("persistence_engine sip")) == ["FV418"]
    assert notes(virtual_server("persistence_timeout 5\npersistence_engine foo")) == ["FV418"]
    long = virtual_server("persistence_timeout 5\npersistence_engine abcdefghijklmnopqr")
    assert one(long, "FV104").persistence_engine == "abcdefghijklmnop"


# --- what several keywords mean together


@pytest.mark.parametrize("word", ["sh-port", "sh-fallback", "mh-port", "mh-fallback"])
def test_flags_of_a_hash_need_its_scheduler_above(word: str) -> None:
    assert one(virtual_server(word), "FV410") == one(virtual_server())
    late = "lvs_method NAT\nprotocol TCP\n" + word + "\nlvs_sched sh\n"
    found = one(virtual_server(base=late), "FV410")
    assert (found.scheduler_flag_1, found.scheduler_flag_2) == (False, False)


@pytest.mark.parametrize(
    "body",
    [
        "sorry_server_inhibit",
        "sorry_server_lvs_method DR",
        "sorry_server_inhibit\nsorry_server 10.0.0.9 80",
    ],
)
def test_words_about_the_sorry_server_stand_behind_it(body: str) -> None:
    found = one(virtual_server(body), "FV410")
    assert not found.sorry_inhibit
    assert found.sorry_forwarding is None


def test_a_sorry_server_that_is_a_real_server_is_inhibited_as_that_is() -> None:
    both = "sorry_server 10.0.0.1 80\n"
    assert not one(virtual_server(both + "sorry_server_inhibit"), "FV411").sorry_inhibit
    assert one(virtual_server(both + "inhibit_on_failure"), "FV411").sorry_inhibit
    assert not one(virtual_server(both)).sorry_inhibit


def test_the_last_sorry_server_counts() -> None:
    found = one(virtual_server("sorry_server 10.0.0.8 80\nsorry_server 10.0.0.9 80"))
    assert found.sorry_server == server("10.0.0.9", 80)


def test_ops_needs_udp() -> None:
    assert not one(virtual_server("ops"), "FV411").one_packet
    assert one(virtual_server("ops", base=COMPLETE.replace("TCP", "UDP"))).one_packet
    assert one(virtual_server("ops", head="fwmark 3", base=MARKED)).one_packet


def test_a_firewall_mark_has_no_protocol_and_no_address() -> None:
    assert one(virtual_server(head="fwmark 3"), "FV411").protocol is None
    assert one(virtual_server(head="fwmark 3", base=MARKED)).protocol is None
    text = virtual_server("ha_suspend", head="fwmark 3", base=MARKED)
    assert not one(text, "FV411").ha_suspend


@pytest.mark.parametrize(
    ("body", "weights", "quorum", "hysteresis", "codes"),
    [
        ("quorum 2", (1, 1), 2, 0, []),
        ("quorum 3", (1, 1), 2, 0, ["FV409"]),
        ("quorum 4\nhysteresis 3", (4,), 4, 3, []),
        ("hysteresis 3", (1,), 1, 0, ["FV409"]),
        ("quorum 9\nhysteresis 8", (4,), 4, 3, ["FV409", "FV409"]),
        ("", (0, 0), 1, 0, ["FV409"]),
        ("weight 5\nquorum 6", (None, 1), 6, 0, []),
    ],
)
def test_quorum_is_within_reach(
    body: str, weights: tuple[int | None, ...], quorum: int, hysteresis: int, codes: list[str]
) -> None:
    servers = "".join(
        real_server("" if weight is None else f"weight {weight}", head=f"10.0.0.{number} 80")
        for number, weight in enumerate(weights, 1)
    )
    found = one(virtual_server(body, servers=servers), *codes)
    assert (found.quorum, found.hysteresis) == (quorum, hysteresis)


# --- real servers


def test_no_real_server_no_virtual_server() -> None:
    assert read(virtual_server(servers=""), "FV401").virtual_servers == ()
    bad = real_server(head="10.0.0.300 80")
    assert read(virtual_server(servers=bad), "FV103", "FV401").virtual_servers == ()


@pytest.mark.parametrize(
    ("head", "code"), [("10.0.0.300 80", "FV103"), ("10.0.0.3 70000", "FV104"), ("x", "FV103")]
)
def test_a_real_server_of_no_address_is_skipped(head: str, code: str) -> None:
    found = one(virtual_server(servers=real_server(head=head) + real_server()), code)
    assert [str(one.server) for one in found.real_servers] == ["10.0.0.1 80"]


def test_defaults_of_a_real_server_are_those_of_the_virtual_server() -> None:
    assert one_real("") == RealServer(server=server("10.0.0.1", 80))


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ("weight 0\n}\nreal_server 10.0.0.2 80 {", "weight", 0),
        ("weight 7", "weight", 7),
        ("lvs_method DR", "forwarding", DR),
        ("lb_kind DR", "forwarding", DR),
        ("uthreshold 0", "upper_threshold", 0),
        ("uthreshold 4294967295", "upper_threshold", 2**32 - 1),
        ("lthreshold 5", "lower_threshold", 5),
        ("inhibit_on_failure", "inhibit", True),
        ("inhibit_on_failure off", "inhibit", False),
        ("notify_up /bin/a", "notify_up", Command(argv=("/bin/a",))),
        ("notify_down '/bin/a b'", "notify_down", Command(argv=("/bin/a", "b"))),
        ("alpha off", "alpha", False),
        ("retry 3", "retries", 3),
        ("delay_before_retry 0.5", "retry_delay", NS_PER_SECOND // 2),
        ("warmup 0", "warmup", 0),
        ("connect_timeout 3", "connect_timeout", seconds(3)),
        ("delay_loop 9", "interval", seconds(9)),
        ("virtualhost a.example", "host", "a.example"),
        ("smtp_alert off", "smtp_alert", False),
        ("snmp_name x", "snmp_name", "x"),
    ],
)
def test_values_of_a_real_server(body: str, field: str, value: object) -> None:
    found = one(virtual_server(servers=real_server(body)))
    assert getattr(found.real_servers[0], field) == value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("weight -1", "FV104"),
        ("weight x", "FV103"),
        ("lvs_method XX", "FV103"),
        ("uthreshold -1", "FV104"),
        ("inhibit_on_failure foo", "FV103"),
        ("alpha x", "FV103"),
        ("retry 0", "FV104"),
        ("delay_loop 0", "FV104"),
        ("virtualhost", "FV103"),
        ("ops", "FV101"),
        ("quorum 4", "FV101"),
        ("NO_CHECK {\nfoo\n}", "FV101"),
    ],
)
def test_what_a_real_server_cannot_use_is_left_out(body: str, code: str) -> None:
    assert one_real(body, code) == one_real("")


def test_thresholds_that_cross_are_told() -> None:
    text = virtual_server(servers=real_server("uthreshold 100\nlthreshold 200"))
    assert notes(text) == ["FV418"]


def test_a_second_real_server_of_one_address_is_removed() -> None:
    twice = real_server("weight 3") + real_server("weight 4")
    (found,) = one(virtual_server(servers=twice), "FV405").real_servers
    assert found.weight == 3
    other_port = real_server() + real_server(head="10.0.0.1 81")
    assert len(one(virtual_server(servers=other_port)).real_servers) == 2


@pytest.mark.parametrize(
    ("head", "method", "port", "expected", "codes"),
    [
        ("192.0.2.1 80", "NAT", " 8080", 8080, []),
        ("192.0.2.1 80", "NAT", "", 80, []),
        ("192.0.2.1 80", "DR", "", 80, []),
        ("192.0.2.1 80", "DR", " 80", 80, []),
        ("192.0.2.1 80", "DR", " 81", 80, ["FV407"]),
        ("192.0.2.1 80", "TUN", " 81", 80, ["FV407"]),
        ("fwmark 3", "DR", " 80", None, ["FV407"]),
        ("fwmark 3", "DR", "", None, []),
        ("fwmark 3", "NAT", " 80", 80, []),
        ("fwmark 3", "NAT", "", None, []),
    ],
)
def test_only_nat_changes_ports(
    head: str, method: str, port: str, expected: int | None, codes: list[str]
) -> None:
    base = f"lvs_sched rr\nlvs_method {method}\n"
    base += "" if "fwmark" in head else "protocol TCP\n"
    text = virtual_server(head=head, base=base, servers=real_server(head=f"10.0.0.1{port}"))
    (found,) = one(text, *codes).real_servers
    assert found.server.port == expected


def test_the_port_of_a_sorry_server_follows_the_same_rule() -> None:
    base = COMPLETE.replace("NAT", "DR")
    found = one(virtual_server("sorry_server 10.0.0.9 81", base=base), "FV407")
    assert found.sorry_server == server("10.0.0.9", 80)


def test_families_agree_unless_packets_are_tunnelled() -> None:
    both = real_server() + real_server(head="2001:db8::1 80")
    found = one(virtual_server(servers=both), "FV406")
    assert [one.server.address.version for one in found.real_servers] == [4]
    tunnels = COMPLETE.replace("NAT", "TUN")
    assert len(one(virtual_server(base=tunnels, servers=both)).real_servers) == 2
    found = one(virtual_server("sorry_server 2001:db8::9 80"), "FV406")
    assert found.sorry_server is None


def test_the_first_real_server_decides_about_the_family_of_a_mark() -> None:
    both = real_server() + real_server(head="2001:db8::1 80")
    found = one(virtual_server(head="fwmark 3", base=MARKED, servers=both), "FV406")
    assert [one.server.address.version for one in found.real_servers] == [4]
    text = virtual_server("ip_family inet6", head="fwmark 3", base=MARKED, servers=both)
    found = one(text, "FV406")
    assert [one.server.address.version for one in found.real_servers] == [6]
    assert found.family == 6


def test_a_family_that_is_not_that_of_the_address_is_ignored() -> None:
    assert one(virtual_server("ip_family inet6"), "FV406").family is None


# --- groups


def addresses(first: str, last: str | None = None, port: int | None = None) -> GroupAddresses:
    return GroupAddresses(first=ip_address(first), last=ip_address(last or first), port=port)


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("192.0.2.1 80", addresses("192.0.2.1", port=80)),
        ("192.0.2.1", addresses("192.0.2.1")),
        ("192.0.2.1 0", addresses("192.0.2.1")),
        ("192.0.2.3-10 80", addresses("192.0.2.3", "192.0.2.10", 80)),
        ("192.0.2.1-192.0.3.9 80", addresses("192.0.2.1", "192.0.3.9", 80)),
        ("192.0.2.1-192.0.2.1 80", addresses("192.0.2.1", port=80)),
        ("2001:db8::1-a 80", addresses("2001:db8::1", "2001:db8::a", 80)),
        ("2001:db8::1-2001:db8::f", addresses("2001:db8::1", "2001:db8::f")),
        ("192.0.2.0/24 80", GroupNetwork(network=ip_network("192.0.2.0/24"), port=80)),
        ("2001:db8::/64", GroupNetwork(network=ip_network("2001:db8::/64"))),
        ("fwmark 3", GroupFwmark(mark=3)),
        ("fwmark 3 inet", GroupFwmark(mark=3, family=4)),
        ("fwmark 4294967295 inet6", GroupFwmark(mark=2**32 - 1, family=6)),
    ],
)
def test_lines_of_a_group(line: str, entry: GroupEntry) -> None:
    (group,) = read(f"virtual_server_group G {{\n{line}\n}}\n").virtual_server_groups
    assert group.entries == (entry,)
    assert group.entries[0].span is not None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("192.0.2.5-1 80", "FV413"),
        ("192.0.2.5-5 80", "FV413"),
        ("192.0.2.5-192.0.2.1 80", "FV413"),
        ("192.0.2.1-300 80", "FV413"),
        ("192.0.2.1-x 80", "FV413"),
        ("192.0.2.1-2001:db8::3 80", "FV413"),
        ("192.0.2.1/24 80", "FV413"),
        ("192.0.2.0/33 80", "FV103"),
        ("192.0.2.0/0 80", "FV104"),
        ("192.0.2.1/x 80", "FV103"),
        ("192.0.2.1 99999", "FV104"),
        ("300.0.2.1 80", "FV103"),
        ("hello", "FV103"),
        ("fwmark x", "FV103"),
        ("fwmark 3 foo", "FV103"),
    ],
)
def test_a_bad_line_of_a_group_is_skipped_and_an_empty_group_with_it(line: str, code: str) -> None:
    text = f"virtual_server_group G {{\n{line}\n}}\n"
    assert read(text, code, "FV414").virtual_server_groups == ()
    text = f"virtual_server_group G {{\n{line}\n192.0.2.77\n}}\n"
    (group,) = read(text, code).virtual_server_groups
    assert group.entries == (addresses("192.0.2.77"),)


def test_groups_may_be_defined_below() -> None:
    text = virtual_server(head="group G") + GROUP
    assert notes(text) == []
    assert one(text).service == GroupService(name="G")


def test_a_missing_group_and_one_without_use_are_told() -> None:
    assert notes(virtual_server(head="group Gx")) == ["FV402"]
    assert notes(GROUP + virtual_server(head="group Gx")) == ["FV402"]
    assert notes(GROUP) == ["FV403"]


def test_the_first_group_of_a_name_counts() -> None:
    text = GROUP + GROUP.replace("192.0.2.1", "192.0.2.2") + virtual_server(head="group G")
    assert notes(text) == ["FV202"]
    (group,) = read(text).virtual_server_groups
    assert group.entries == (addresses("192.0.2.1", port=80),)


@pytest.mark.parametrize(
    ("lines", "base", "codes"),
    [
        ("192.0.2.1", COMPLETE, ["FV408"]),
        ("fwmark 3", COMPLETE, ["FV411"]),
        ("fwmark 3", MARKED, []),
        ("fwmark 3\n192.0.2.1 80", COMPLETE, []),
        ("192.0.2.1 80\n192.0.2.2 81", COMPLETE.replace("NAT", "DR"), ["FV407"]),
        ("192.0.2.1 80\n2001:db8::1 80", COMPLETE.replace("NAT", "TUN"), []),
    ],
)
def test_what_a_group_lists_decides(lines: str, base: str, codes: list[str]) -> None:
    group = f"virtual_server_group G {{\n{lines}\n}}\n"
    one(group + virtual_server(head="group G", base=base), *codes)


@pytest.mark.parametrize(
    ("lines", "base"),
    [
        ("192.0.2.1 80\n2001:db8::1 80", COMPLETE),
        ("2001:db8::1 80", COMPLETE),
        ("fwmark 3 inet\nfwmark 4 inet6", MARKED),
    ],
)
def test_one_real_server_does_not_serve_two_families_without_a_tunnel(
    lines: str, base: str
) -> None:
    text = f"virtual_server_group G {{\n{lines}\n}}\n" + virtual_server(head="group G", base=base)
    assert notes(text) == ["FV406"]
    assert read(text).virtual_servers == ()


def test_beside_two_families_a_mark_needs_one() -> None:
    lines = "192.0.2.1 80\n2001:db8::1 80\nfwmark 3"
    text = f"virtual_server_group G {{\n{lines}\n}}\n" + virtual_server(head="group G")
    assert read(text, "FV406").virtual_servers == ()


def test_without_its_group_a_virtual_server_is_skipped() -> None:
    assert read(virtual_server("quorum 9", head="group Gx", base="")).virtual_servers == ()
    empty = "virtual_server_group G {\n}\n"
    assert read(empty + virtual_server(head="group G"), "FV414").virtual_servers == ()


# --- SSL


def test_ssl() -> None:
    text = "SSL {\npassword secret\nca /a\ncertificate /b\nkey /c\n}\n"
    loaded = read(text)
    assert loaded.ssl is not None
    assert loaded.ssl.password == Secret(b"secret")
    assert (loaded.ssl.ca, loaded.ssl.certificate, loaded.ssl.key) == ("/a", "/b", "/c")
    assert "secret" not in repr(loaded) + "".join(map(str, loaded.diagnostics))


@pytest.mark.parametrize("line", ["password", "ca", "certificate", "key"])
def test_a_missing_word_of_ssl_costs_the_line(line: str) -> None:
    loaded = read(f"SSL {{\n{line}\n}}\n", "FV103")
    assert loaded.ssl is not None
    assert getattr(loaded.ssl, line) is None
