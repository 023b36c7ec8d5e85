"""Texts of virtual servers for tests, and what reading them gives."""

from fastvrrp import config
from fastvrrp.config.diagnostics import Severity
from fastvrrp.config.model import Config, RealServer, VirtualServer

COMPLETE = "lvs_sched rr\nlvs_method NAT\nprotocol TCP\n"
"""What keepalived wants every virtual server to say."""

MARKED = "lvs_sched rr\nlvs_method NAT\n"
"""The same for firewall marks."""


def real_server(body: str = "", head: str = "10.0.0.1 80") -> str:
    """Return the text of a real server."""
    return f"real_server {head} {{\n{body}\n}}\n"


def virtual_server(
    body: str = "",
    *,
    head: str = "192.0.2.1 80",
    base: str = COMPLETE,
    servers: str | None = None,
) -> str:
    """Return the text of a virtual server with one real server, unless `servers` are given."""
    inner = real_server() if servers is None else servers
    return f"virtual_server {head} {{\n{base}{body}\n{inner}\n}}\n"


def read(text: str, *expected: str) -> Config:
    """Return a configuration; what keepalived reports as well must be `expected`, sorted."""
    loaded = config.loads(text)
    reported = [d.code for d in loaded.diagnostics if d.severity is Severity.WARNING]
    assert sorted(reported) == sorted(expected), [str(d) for d in loaded.diagnostics]
    return loaded


def notes(text: str) -> list[str]:
    """Return the codes that only we report, without those of what is not run yet."""
    found = config.loads(text).diagnostics
    return [d.code for d in found if d.severity is Severity.NOTE and d.code != "FV110"]


def one(text: str, *expected: str) -> VirtualServer:
    """Return the only virtual server of a text; `expected` as for `read`."""
    (found,) = read(text, *expected).virtual_servers
    return found


def one_real(body: str, *expected: str) -> RealServer:
    """Return the only real server of a virtual server that has `body` in it."""
    (found,) = one(virtual_server(servers=real_server(body)), *expected).real_servers
    return found
