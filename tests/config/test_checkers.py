"""Health checkers in `real_server`: values, defaults, corrections, and what they refer to."""

from ipaddress import ip_address

import pytest

from config.lvs_text import (
    COMPLETE,
    MARKED,
    one,
    one_real,
    read,
    real_server,
    virtual_server,
)
from fastvrrp import config
from fastvrrp.clock import seconds
from fastvrrp.config.model import (
    Check,
    Command,
    Connect,
    DnsCheck,
    DnsType,
    HttpCheck,
    HttpProtocol,
    MiscCheck,
    PingCheck,
    ReferenceKind,
    ReplyPattern,
    Schedule,
    SmtpCheck,
    SslCheck,
    StatusRange,
    TcpCheck,
    UdpCheck,
    Url,
)
from fastvrrp.config.row import Block, walk
from fastvrrp.config.schema.lvs import LVS
from fastvrrp.config.values.checkers import FileWeight
from fastvrrp.config.writer import to_text

CONNECTING = ["TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK"]
PAGE = "url {\npath /\n}\n"
MISC = "misc_path /bin/true\n"


def check(kind: str, body: str, *expected: str) -> Check:
    """Return the only checker of a real server; `expected` is what keepalived reports as well."""
    (found,) = one_real(f"{kind} {{\n{body}\n}}", *expected).checkers
    return found


def no_check(kind: str, body: str, *expected: str) -> None:
    """Assert that a checker is left out."""
    assert one_real(f"{kind} {{\n{body}\n}}", *expected).checkers == ()


def body_of(kind: str) -> str:
    """Return what a checker of a kind cannot do without."""
    return PAGE if kind in ("HTTP_GET", "SSL_GET") else ""


# --- what all have in common


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("TCP_CHECK", TcpCheck()),
        ("HTTP_GET", HttpCheck(urls=(Url(path="/"),))),
        ("SSL_GET", SslCheck(urls=(Url(path="/"),))),
        ("SMTP_CHECK", SmtpCheck()),
        ("DNS_CHECK", DnsCheck()),
        ("UDP_CHECK", UdpCheck()),
        ("PING_CHECK", PingCheck()),
    ],
)
def test_an_empty_checker_has_the_defaults(kind: str, model: Check) -> None:
    found = check(kind, body_of(kind))
    assert found == model
    assert type(found) is type(model)


def test_checkers_keep_their_order_and_their_number() -> None:
    found = one_real(f"TCP_CHECK {{\n}}\nHTTP_GET {{\n{PAGE}}}\nTCP_CHECK {{\nretry 2\n}}")
    assert [type(one) for one in found.checkers] == [TcpCheck, HttpCheck, TcpCheck]
    assert found.checkers[2] == TcpCheck(schedule=Schedule(retries=2))


@pytest.mark.parametrize("kind", [*CONNECTING, "PING_CHECK"])
@pytest.mark.parametrize(
    ("body", "connect"),
    [
        ("connect_ip 10.0.0.2", Connect(address=ip_address("10.0.0.2"))),
        ("connect_ip 2001:db8::1", Connect(address=ip_address("2001:db8::1"))),
        ("connect_port 65535", Connect(port=65535)),
        ("bindto 10.0.0.3", Connect(bind_address=ip_address("10.0.0.3"))),
        ("bind_port 5", Connect(bind_port=5)),
        ("bind_if nowhere", Connect(bind_interface="nowhere")),
        ("connect_timeout 0.5", Connect(timeout=seconds(1) // 2)),  # type: ignore[arg-type]
        ("fwmark 4294967295", Connect(fwmark=2**32 - 1)),
    ],
)
def test_where_a_checker_connects_to(kind: str, body: str, connect: Connect) -> None:
    found = check(kind, body_of(kind) + body)
    assert getattr(found, "connect") == connect  # noqa: B009  - not every kind has it


@pytest.mark.parametrize("kind", [*CONNECTING, "PING_CHECK", "MISC_CHECK"])
@pytest.mark.parametrize(
    ("body", "schedule"),
    [
        ("alpha", Schedule(alpha=True)),
        ("alpha off", Schedule(alpha=False)),
        ("retry 0", Schedule(retries=0)),
        ("delay_before_retry 0", Schedule(retry_delay=seconds(0))),
        ("warmup 3", Schedule(warmup=seconds(3))),
        ("delay_loop 3", Schedule(interval=seconds(3))),
        ("log_all_failures", Schedule(log_failures=True)),
    ],
)
def test_when_a_checker_runs(kind: str, body: str, schedule: Schedule) -> None:
    needed = MISC if kind == "MISC_CHECK" else body_of(kind)
    found = check(kind, needed + body)
    assert getattr(found, "schedule") == schedule  # noqa: B009  - not every kind has it


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("connect_ip x", "FV103"),
        ("connect_port 0", "FV104"),
        ("connect_port x", "FV103"),
        ("connect_port 65536", "FV104"),
        ("bindto x", "FV103"),
        ("bindto ::1", "FV406"),
        ("bind_to 1.1.1.1", "FV101"),
        ("bind_port 0", "FV104"),
        ("connect_timeout 0", "FV104"),
        ("fwmark -1", "FV104"),
        ("retry -1", "FV104"),
        ("retry 300000000000", "FV104"),
        ("nb_get_retry 3", "FV419"),
        ("delay_loop 0", "FV104"),
        ("log_all_failures x", "FV103"),
        ("url {\npath /\n}", "FV101"),
        ("TCP_CHECK {\n}", "FV101"),
    ],
)
def test_what_a_checker_cannot_use_is_left_out(body: str, code: str) -> None:
    assert check("TCP_CHECK", body, code) == TcpCheck()


def test_a_missing_address_is_an_error() -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.loads(virtual_server(servers=real_server("TCP_CHECK {\nconnect_ip\n}")))
    assert "FV102" in [found.code for found in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("body", "address", "bind"),
    [
        ("connect_ip 2001:db8::1\nbindto 10.0.0.3", "2001:db8::1", None),
        ("bindto 10.0.0.3\nconnect_ip 2001:db8::1", None, "10.0.0.3"),
        ("bindto ::1\nconnect_ip 10.0.0.2", "10.0.0.2", None),
    ],
)
def test_of_two_families_the_later_one_is_left_out(
    body: str, address: str | None, bind: str | None
) -> None:
    expected = Connect(
        address=ip_address(address) if address else None,
        bind_address=ip_address(bind) if bind else None,
    )
    assert check("TCP_CHECK", body, "FV406") == TcpCheck(connect=expected)


def test_a_link_local_target_needs_an_interface() -> None:
    check("TCP_CHECK", "connect_ip fe80::1", "FV415")
    check("TCP_CHECK", "connect_ip fe80::1\nbind_if eth0")
    servers = real_server("TCP_CHECK {\n}", head="fe80::1 80")
    one(virtual_server(head="2001:db8::1 80", servers=servers), "FV415")


def test_the_interface_of_a_checker_need_not_be_there() -> None:
    text = virtual_server(servers=real_server("TCP_CHECK {\nbind_if eth7\n}"))
    assert read(text).references == ()


# --- HTTP_GET and SSL_GET


@pytest.mark.parametrize("kind", ["HTTP_GET", "SSL_GET"])
@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("status_code 200", "statuses", (StatusRange(first=200, last=200),)),
        (
            "status_code 200 300-302\nstatus_code 404",
            "statuses",
            (
                StatusRange(first=200, last=200),
                StatusRange(first=300, last=302),
                StatusRange(first=404, last=404),
            ),
        ),
        ("status_code 100-599", "statuses", (StatusRange(first=100, last=599),)),
        (
            "digest 640205B7b0fc66c1ea91c463fac6334d",
            "digest",
            bytes.fromhex("640205b7b0fc66c1ea91c463fac6334d"),
        ),
        ("virtualhost a.example", "host", "a.example"),
        ("regex ^a.*b$", "regex", "^a.*b$"),
        ("regex_no_match", "regex_absent", True),
        ("regex_options caseless multiline", "regex_options", ("caseless", "multiline")),
        ("regex_min_offset 5", "regex_min_offset", 5),
        ("regex_max_offset 9", "regex_max_offset", 9),
        ("regex_stack 1000 2000", "regex_stack", (1000, 2000)),
    ],
)
def test_values_of_a_page(kind: str, line: str, field: str, value: object) -> None:
    found = check(kind, f"url {{\npath /a\n{line}\n}}")
    assert isinstance(found, HttpCheck)
    assert found.urls[0].path == "/a"
    assert getattr(found.urls[0], field) == value


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("status_code 99", "FV104"),
        ("status_code 600", "FV104"),
        ("status_code x", "FV104"),
        ("status_code 300-200", "FV104"),
        ("status_code 200-", "FV104"),
        ("status_code 200,201", "FV104"),
        ("digest abc", "FV103"),
        ("digest Z40205b7b0fc66c1ea91c463fac6334d", "FV103"),
        ("tls_compliant", "FV101"),
        ("virtualhost", "FV103"),
    ],
)
def test_what_a_page_cannot_use_is_left_out(line: str, code: str) -> None:
    found = check("HTTP_GET", f"url {{\npath /\n{line}\n}}", code)
    assert found == HttpCheck(urls=(Url(path="/"),))


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("http_protocol 1.0", "protocol", HttpProtocol.V1_0),
        ("http_protocol 1.0C", "protocol", HttpProtocol.V1_0_CLOSE),
        ("http_protocol 1.1", "protocol", HttpProtocol.V1_1),
        ("enable_sni", "sni", True),
        ("fast_recovery off", "fast_recovery", False),
        ("fast_recovery", "fast_recovery", True),
        ("virtualhost a.example", "host", "a.example"),
    ],
)
def test_values_of_an_http_check(line: str, field: str, value: object) -> None:
    assert getattr(check("HTTP_GET", PAGE + line), field) == value


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("http_protocol 2", "FV103"),
        ("http_protocol", "FV103"),
        ("enable_sni x", "FV103"),
        ("virtualhost", "FV103"),
        ("tls_compliant", "FV101"),
    ],
)
def test_what_an_http_check_cannot_use_is_left_out(line: str, code: str) -> None:
    assert check("HTTP_GET", PAGE + line, code) == HttpCheck(urls=(Url(path="/"),))


def test_the_old_name_of_retry_is_told_and_taken() -> None:
    found = check("HTTP_GET", PAGE + "nb_get_retry 3", "FV112")
    assert getattr(found, "schedule") == Schedule(retries=3)  # noqa: B009  - see above


def test_tls_closes_as_it_should_where_it_is_asked_to() -> None:
    found = check("SSL_GET", "tls_compliant\nurl {\npath /\ntls_compliant off\n}")
    assert found == SslCheck(tls_compliant=True, urls=(Url(path="/", tls_compliant=False),))


@pytest.mark.parametrize("kind", ["HTTP_GET", "SSL_GET"])
def test_no_page_no_check(kind: str) -> None:
    no_check(kind, "", "FV412")
    no_check(kind, "url {\nstatus_code 200\n}", "FV201")
    found = check(kind, PAGE + "url {\n}", "FV201")
    assert isinstance(found, HttpCheck)
    assert [url.path for url in found.urls] == ["/"]


# --- the others


def test_smtp_check() -> None:
    found = check("SMTP_CHECK", "helo_name me\nhost {\nconnect_ip 10.0.0.2\nconnect_port 25\n}")
    host = Connect(address=ip_address("10.0.0.2"), port=25)
    assert found == SmtpCheck(helo_name="me", hosts=(host,))
    assert check("SMTP_CHECK", "helo_name", "FV103") == SmtpCheck()
    assert check("SMTP_CHECK", "host {\nconnect_ip x\n}", "FV103") == SmtpCheck(hosts=(Connect(),))


@pytest.mark.parametrize("kind", DnsType)
def test_dns_types_in_any_case(kind: DnsType) -> None:
    assert check("DNS_CHECK", f"type {kind.value}") == DnsCheck(type=kind)
    assert check("DNS_CHECK", f"type {kind.value.lower()}") == DnsCheck(type=kind)


@pytest.mark.parametrize("name", [".", "example.com", "example.com."])
def test_dns_names(name: str) -> None:
    assert check("DNS_CHECK", f"name {name}") == DnsCheck(name=name)


@pytest.mark.parametrize("line", ["type ANY", "type FOO", "name a..b", "name .a"])
def test_what_no_name_server_is_asked(line: str) -> None:
    assert check("DNS_CHECK", line, "FV103") == DnsCheck()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('misc_path "/bin/a b c"', MiscCheck(command=Command(argv=("/bin/a", "b", "c")))),
        (
            "misc_path /bin/a\nuser root wheel",
            MiscCheck(command=Command(argv=("/bin/a",), user="root", group="wheel")),
        ),
        (
            "misc_path /bin/a\nmisc_timeout 5\nmisc_dynamic",
            MiscCheck(command=Command(argv=("/bin/a",)), timeout=seconds(5), dynamic=True),
        ),
    ],
)
def test_misc_check(body: str, expected: MiscCheck) -> None:
    assert check("MISC_CHECK", body) == expected


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("misc_timeout x", "FV103"),
        ("misc_timeout 0.5", "FV103"),
        ("user", "FV103"),
        ("connect_timeout 4", "FV101"),
        ("fwmark 4", "FV101"),
    ],
)
def test_what_a_program_cannot_use_is_left_out(line: str, code: str) -> None:
    expected = MiscCheck(command=Command(argv=("/bin/true",)))
    assert check("MISC_CHECK", MISC + line, code) == expected


@pytest.mark.parametrize(
    ("body", "code"), [("", "FV201"), ("misc_path", "FV103"), ('misc_path ""', "FV103")]
)
def test_no_program_no_check(body: str, code: str) -> None:
    no_check("MISC_CHECK", body, code)


def test_the_account_of_a_program_must_be_there() -> None:
    text = virtual_server(servers=real_server(f"MISC_CHECK {{\n{MISC}user joe staff\n}}"))
    kinds = [(one.kind, one.name) for one in read(text).references]
    assert kinds == [(ReferenceKind.USER, "joe"), (ReferenceKind.GROUP, "staff")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("payload 00ff", UdpCheck(payload=b"\x00\xff")),
        ("payload 00 FF a", UdpCheck(payload=b"\x00\xff\x0a")),
        ('payload "0 ff"', UdpCheck(payload=b"\x00\xff")),
        ("require_reply", UdpCheck(reply=ReplyPattern())),
        ("require_reply 1fxX", UdpCheck(reply=ReplyPattern(data=b"\x1f\x00", mask=b"\xff\x00"))),
        ("require_reply x5", UdpCheck(reply=ReplyPattern(data=b"\x05", mask=b"\x0f"))),
        ("min_reply_length 255", UdpCheck(min_reply_length=255)),
        ("max_reply_length 65535", UdpCheck(max_reply_length=65535)),
    ],
)
def test_udp_check(body: str, expected: UdpCheck) -> None:
    assert check("UDP_CHECK", body) == expected


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("payload xyz", "FV103"),
        ("payload", "FV103"),
        ("require_reply zz", "FV103"),
        ("min_reply_length 70000", "FV104"),
        ("max_reply_length x", "FV103"),
    ],
)
def test_what_a_datagram_cannot_be(line: str, code: str) -> None:
    assert check("UDP_CHECK", line, code) == UdpCheck()


@pytest.mark.parametrize("body", ["min_reply_length 256", "min_reply_length 9\nmax_reply_length 8"])
def test_lengths_that_no_answer_has_are_told(body: str) -> None:
    check("UDP_CHECK", body, "FV416")


@pytest.mark.parametrize(
    ("kind", "line"), [("FILE_CHECK", "track_file NO"), ("BFD_CHECK", "name NO")]
)
def test_what_a_checker_refers_to_must_be_there(kind: str, line: str) -> None:
    no_check(kind, line, "FV212")
    no_check(kind, "", "FV201")


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("weight 2147483647 noreverse", []),
        ("weight -2147483647 reverse", []),
        ("weight -2147483648", ["FV104"]),
        ("weight x", ["FV103"]),
        ("weight 3 foo", ["FV103"]),
        ("dynamic", ["FV101"]),
        ("alpha", ["FV101"]),
        ("retry 3", ["FV101"]),
    ],
)
def test_words_of_a_file_check(line: str, codes: list[str]) -> None:
    no_check("FILE_CHECK", f"track_file NO\n{line}", *codes, "FV212")


def test_the_weight_of_a_file_is_written_as_it_is_read() -> None:
    written = {
        value: FileWeight().write(value) for value in ((5, False), (-5, True), (None, False))
    }
    assert written == {(5, False): "5", (-5, True): "-5 reverse", (None, False): None}


# --- written and read again


VIRTUAL = [
    "lvs_sched mh\nmh-port\nmh-fallback\nflag-3",
    "lvs_method TUN type gue port 6080 csum",
    "lvs_method TUN type gre\nprotocol SCTP",
    "persistence_timeout 50\npersistence_granularity 255.255.0.0\npersistence_engine sip",
    "delay_loop 0.5\nconnect_timeout 3\nretry 4\ndelay_before_retry 0\nwarmup 0",
    "inhibit_on_failure\nweight 7\nalpha\nomega\nquorum 3\nhysteresis 2\nha_suspend",
    'quorum_up "/bin/a b"\nquorum_down /bin/c root\nsmtp_alert off\nsnmp_name "a b"',
    "virtualhost www\nip_family inet\nsorry_server 10.0.0.9 81\nsorry_server_inhibit",
    "sorry_server 10.0.0.9\nsorry_server_lvs_method DR",
]
REAL = [
    "weight 0\n}\nreal_server 10.0.0.2 80 {",
    "lvs_method DR\nuthreshold 9\nlthreshold 5\ninhibit_on_failure off\nalpha off",
    'notify_up "/bin/a b" root\nnotify_down /bin/c\nsmtp_alert\nsnmp_name x\nvirtualhost y',
    "retry 1\ndelay_before_retry 2\nwarmup 3\nconnect_timeout 4\ndelay_loop 5",
    "TCP_CHECK {\nconnect_ip 10.0.0.2\nconnect_port 1\nbindto 10.0.0.3\nbind_port 2\n"
    "bind_if eth0\nconnect_timeout 3\nfwmark 4\n}",
    "PING_CHECK {\nalpha off\nretry 0\ndelay_before_retry 1\nwarmup 2\ndelay_loop 3\n"
    "log_all_failures\n}",
    "HTTP_GET {\nurl {\npath /\nstatus_code 200 300-302\ndigest 640205b7b0fc66c1ea91c463fac6334d\n"
    "virtualhost w\nregex a b\nregex_no_match\nregex_options caseless extended\n"
    "regex_min_offset 1\nregex_max_offset 2\nregex_stack 3 4\n}\nurl {\npath /b\n}\n"
    "http_protocol 1.0C\nenable_sni\nfast_recovery\nvirtualhost v\nnb_get_retry 3\n}",
    "SSL_GET {\nurl {\npath /\ntls_compliant off\n}\ntls_compliant\n}",
    "SMTP_CHECK {\nhelo_name me\nhost {\nconnect_ip 10.0.0.2\n}\nhost {\nconnect_port 26\n}\n}",
    "DNS_CHECK {\ntype aaaa\nname example.com\n}",
    'MISC_CHECK {\nmisc_path "/bin/a b"\nmisc_timeout 5\nmisc_dynamic\nuser root root\n}',
    "UDP_CHECK {\npayload 00ff\nrequire_reply 1xx5\nmin_reply_length 1\nmax_reply_length 9\n}",
    "UDP_CHECK {\nrequire_reply\n}",
]
MORE = [
    virtual_server(head="fwmark 7", base=MARKED),
    "virtual_server_group G {\n192.0.2.1 80\n192.0.2.3-9 80\n2001:db8::/64\nfwmark 3 inet\n}\n"
    + virtual_server(
        head="group G",
        base=COMPLETE.replace("NAT", "TUN"),
        servers=real_server(head="10.0.0.1"),
    ),
    'SSL {\npassword "a b"\nca /a\ncertificate /b\nkey /c\n}\n',
]
TEXTS = [
    *map(virtual_server, VIRTUAL),
    *(virtual_server(servers=real_server(body)) for body in REAL),
    *MORE,
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_written_loads_to_the_same(text: str) -> None:
    loaded = config.loads(text)
    written = to_text(loaded)
    assert read(written) == loaded
    assert to_text(config.loads(written)) == written


def test_every_row_of_load_balancing_is_written_somewhere() -> None:
    """So that none is forgotten above: what is never written is an old or a second name."""
    words = {
        line.split()[0]
        for text in TEXTS
        for line in to_text(config.loads(text)).split("\n")
        if line
    }
    rows = [row for top in LVS if isinstance(top, Block) for _, row in walk(top)]
    silent = {row.name for row in rows if row.name not in words and not row.alias}
    assert silent == {"ops", "FILE_CHECK", "BFD_CHECK", "track_file"}
