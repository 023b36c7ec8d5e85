"""A web server on a host, and a request to it: what the tutorial's virtual address is for."""

import signal
import socket
import sys
from pathlib import Path

from lab.environment import installed
from lab.network import Host
from lab.process import Node, Process

PAGE_SERVER = Path(__file__).with_name("page_server.py")
CONFIG_PATH = "/run/nginx.conf"
MAX_RESPONSE = 1 << 16

# One process that stays what it is: an ordinary user's namespace has root and nobody else.
NGINX_CONFIG = """\
user root;
daemon off;
master_process off;
error_log stderr notice;
pid /run/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    server {{ listen 80; location / {{ return 200 "{page}"; }} }}
}}
"""


class WebServer:
    """nginx where it is installed, else a stand-in of that name; its page is the host's name."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._process: Process | None = None

    @staticmethod
    def kind() -> str:
        """Which server `start` starts."""
        return "nginx" if installed("nginx") else "python's http.server"

    def start(self) -> None:
        """Start serving on port 80 of all addresses; a line of output follows when it listens."""
        page = self._host.name
        if installed("nginx"):
            self._host.write(CONFIG_PATH, NGINX_CONFIG.format(page=page))
            self._process = self._host.popen("nginx", "-e", "stderr", "-c", CONFIG_PATH)
        else:
            self._process = self._host.popen(sys.executable, "-I", str(PAGE_SERVER), page)

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended, as far as events have been taken in."""
        return self._process is not None and not self._process.exit.finished

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.signal(signal.SIGKILL)


def fetch(client: Node, address: str, *, timeout: float = 1.0) -> str | None:
    """The page that a client gets from http://address/, or None without an answer in time."""
    try:
        with client.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect((address, 80))
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            response = b""
            while data := connection.recv(MAX_RESPONSE):
                response += data
    except OSError:
        return None
    return response.partition(b"\r\n\r\n")[2].decode()
