"""web1, web2 and a client in the lab: what can be done to them, and what is seen of them."""

import re
import sys
from pathlib import Path

from demo.record import Kind, Mark, Record, Request, begin, finish
from demo.screen import Screen
from lab import (
    AddressAdded,
    AddressRemoved,
    Advert,
    Arp,
    Event,
    Exited,
    Host,
    Lab,
    LogLine,
    Process,
    Router,
    WebServer,
)

CLIENT = Path(__file__).with_name("client.py")
EXAMPLES = Path(__file__).parents[1]
DATE = re.compile(r"^.*?\d\d:\d\d:\d\d \d{4}: ")
STOP_TIMEOUT_S = 10

# Of all that the daemons log, what belongs to the story.
TOLD = re.compile(
    r"Entering (MASTER|BACKUP|FAULT) STATE|Changing effective priority|forcing new election"
)

PRIORITY = re.compile(r"effective priority from (\d+) to (\d+)")


class Stage:
    """The lab's hosts, the virtual address that is talked about, and the record of it all."""

    def __init__(self, lab: Lab, program: str, screen: Screen) -> None:
        self.lab = lab
        self.screen = screen
        self.web1 = lab.host("web1", "10.12.166.81/24")
        self.web2 = lab.host("web2", "10.12.166.82/24")
        self.client = lab.host("client", "10.12.166.10/24")
        self.record = Record((self.web1.name, self.web2.name))
        self.servers = {host.name: WebServer(host) for host in self.routers}
        self.vip = ""
        self.page: str | None = None  # what the client gets now
        self.complaints: dict[str, int] = {}  # host -> when it first told of its peer's password
        self._program = program
        self._daemons: dict[str, Router] = {}
        self._client: Process | None = None
        self._newest_request = 0
        self._announced: set[str] = set()
        lab.listen(self._see)

    @property
    def routers(self) -> tuple[Host, Host]:
        """The two that share the address."""
        return self.web1, self.web2

    def peer(self, host: Host) -> Host:
        """The other router."""
        return self.web2 if host is self.web1 else self.web1

    def start(self, host: Host, config: str) -> None:
        """Start the web server, if it is not running, and the daemon."""
        if not self.servers[host.name].running:
            self.servers[host.name].start()
        self._daemons[host.name] = Router(host, config, program=self._program)
        self._start_daemon(host)

    def boot(self, host: Host) -> None:
        """Power on, with the configuration that it had."""
        host.power_on()
        self.servers[host.name].start()
        self._start_daemon(host)

    def wait_for_log(self, host: Host, text: str, timeout: float) -> None:
        """Wait until the daemon of a host has logged a line with `text`."""
        daemon = self._daemons[host.name]
        self.lab.wait_for(lambda: any(text in line for line in daemon.log), timeout)

    def stop_daemons(self) -> None:
        """SIGTERM for both, and wait for their end."""
        for daemon in self._daemons.values():
            daemon.stop()
        processes = [daemon.process for daemon in self._daemons.values() if daemon.process]
        self.lab.wait_for(
            lambda: all(process.exit.finished for process in processes), STOP_TIMEOUT_S
        )

    def send_client(self, vip: str) -> None:
        """From now on the client asks for this address."""
        self.recall_client()
        self._client = self.client.popen(sys.executable, "-I", "-S", str(CLIENT), vip)

    def recall_client(self) -> None:
        """The client stops asking."""
        if self._client is not None:
            self._client.terminate()
            self._client = None
        self.page = None

    def mark(self, host: Host, kind: Kind, text: str) -> int:
        """Note something that is done to a host; returns when."""
        now = self.lab.now()
        self.record.marks.append(Mark(at=now, host=host.name, kind=kind, text=text))
        self.screen.event(now, host.name, text, kind)
        return now

    def _start_daemon(self, host: Host) -> None:
        self._daemons[host.name].start()
        begin(self.record.running, host.name, self.lab.now())

    def _see(self, event: Event) -> None:
        match event:
            case Advert():
                self.record.adverts.append((event.at, event.host))
            case AddressAdded(address=self.vip):
                begin(self.record.holding, event.host, event.at)
                self.screen.event(event.at, event.host, f"holds {self.vip}")
            case AddressRemoved(address=self.vip):
                finish(self.record.holding, event.host, event.at)
                self._announced.discard(event.host)
                self.screen.event(event.at, event.host, f"has {self.vip} no more")
            case Arp(sender=self.vip) if event.gratuitous and event.host not in self._announced:
                self._announced.add(event.host)
                self.screen.event(event.at, event.host, "announces it (gratuitous ARP)")
            case LogLine(host="client"):
                self._see_request(*event.text.split())
            case LogLine(process="fastvrrpd" | "keepalived"):
                self._see_log(event)
            case Exited(process="fastvrrpd" | "keepalived"):
                finish(self.record.running, event.host, event.at)
        self.screen.status(self.record.holders(), self.page, event.at)

    def _see_log(self, event: LogLine) -> None:
        text = DATE.sub("", event.text)
        host = self.lab.hosts[event.host]
        if self._address(self.peer(host)) in text and "AH check failed" in text:
            self.screen.event(event.at, event.host, text, Kind.NOTE)
            if "two routers hold" in text and event.host not in self.complaints:
                self.complaints[event.host] = event.at
                self._note(event, "says so")
        elif TOLD.search(text):
            self.screen.event(event.at, event.host, text)
            if change := PRIORITY.search(text):
                self._note(event, f"priority {change[1]} → {change[2]}")

    def _note(self, event: LogLine, text: str) -> None:
        mark = Mark(at=event.at, host=event.host, kind=Kind.NOTE, text=text)
        self.record.marks.append(mark)

    def _see_request(self, asked: str, answer: str) -> None:
        request = Request(int(asked), None if answer == "-" else answer)
        self.record.requests.append(request)
        if request.asked < self._newest_request:
            return  # a lost one, known late: later ones have been answered
        self._newest_request = request.asked
        if request.page != self.page:
            self.page = request.page
            text = f"gets the page of {request.page}" if request.page else "gets no answer"
            kind = None if request.page else Kind.FAULT
            self.screen.event(request.asked, "client", text, kind)

    @staticmethod
    def _address(host: Host) -> str:
        return host.addresses[0].partition("/")[0]
