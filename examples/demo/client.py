"""A visitor who asks for http://ADDRESS/ every 10 ms and gives up on an answer after 100 ms.

Run as `python -IS client.py ADDRESS`. Prints a line for each request once its fate is known:
the time of asking (CLOCK_MONOTONIC, ns) and the page, or `-` if there was no answer.
"""

import selectors
import socket
import sys
import time

INTERVAL = 10_000_000  # ns
PATIENCE = 100_000_000  # ns
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
READ_SIZE = 4096


class Request:
    """One request on its own connection."""

    def __init__(self, address: str, asked: int) -> None:
        self.asked = asked
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.connect_ex((address, 80))
        self.response = b""

    def write(self) -> None:
        """Ask; raises OSError when the connection was refused."""
        self.socket.sendall(REQUEST)

    def read(self) -> bool:
        """Take what has come; True when the response is complete. Raises OSError."""
        data = self.socket.recv(READ_SIZE)
        self.response += data
        return not data

    def tell(self, page: str) -> None:
        """Print the fate of the request and forget it."""
        self.socket.close()
        print(self.asked, page, flush=True)


class Client:
    """Requests under way, at most PATIENCE / INTERVAL of them."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._selector = selectors.DefaultSelector()
        self._requests: dict[Request, None] = {}  # in the order of asking

    def run(self) -> None:
        """Ask until killed; the times of asking do not depend on the answers."""
        due = time.monotonic_ns()
        while True:
            now = time.monotonic_ns()
            while due <= now:
                self._ask(due)
                due += INTERVAL
            self._give_up(now - PATIENCE)
            for key, _ in self._selector.select((due - time.monotonic_ns()) / 1e9):
                self._advance(key.data)

    def _ask(self, asked: int) -> None:
        try:
            request = Request(self._address, asked)
        except OSError:  # no route: the machine itself has a problem
            print(asked, "-", flush=True)
            return
        self._requests[request] = None
        self._selector.register(request.socket, selectors.EVENT_WRITE, request)

    def _advance(self, request: Request) -> None:
        try:
            if self._selector.get_key(request.socket).events == selectors.EVENT_WRITE:
                request.write()
                self._selector.modify(request.socket, selectors.EVENT_READ, request)
            elif request.read():
                self._finish(request, request.response.partition(b"\r\n\r\n")[2].decode() or "-")
        except OSError:
            self._finish(request, "-")

    def _give_up(self, before: int) -> None:
        for request in [request for request in self._requests if request.asked < before]:
            self._finish(request, "-")

    def _finish(self, request: Request, page: str) -> None:
        self._selector.unregister(request.socket)
        del self._requests[request]
        request.tell(page)


if __name__ == "__main__":
    Client(sys.argv[1]).run()
