"""A stand-in for nginx where that is not installed: serves one page and is called nginx in /proc.

Run as `python -I page_server.py PAGE`.
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Page(BaseHTTPRequestHandler):
    """Answers every GET with the page."""

    body = b""

    def do_GET(self) -> None:
        """Send the page."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a client asks a hundred times a second."""


class Server(HTTPServer):
    """One request after the other, with room for those that wait."""

    request_queue_size = 128


def main(page: str) -> None:
    """Serve until killed."""
    Path("/proc/self/comm").write_text("nginx")  # what `killall -0 nginx` looks for
    Page.body = page.encode()
    server = Server(("0.0.0.0", 80), Page)
    print("serving", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
