"""The scenarios: the tutorial's two files, then nopreempt, then two different passwords."""

from collections.abc import Iterator
from contextlib import contextmanager

from demo.record import Act, Kind, Scenario
from demo.stage import EXAMPLES, Stage
from lab import AddressAdded, Advert, Host, LabTimeoutError

MS = 1_000_000
SECOND = 1_000 * MS
VIP, NOPREEMPT_VIP = "10.12.166.80", "10.12.166.90"
SCRIPT_INTERVAL = 2 * SECOND
START = SECOND  # a daemon's start; after a boot also the kernel's telling that there is a carrier
TELL = 3 * SECOND  # a mistake is told within this time
TOLERANCE = 250 * MS  # of a busy machine
PATIENCE_S = 5  # beyond the bound, before a scenario has failed


def master_down_interval(priority: int) -> int:
    """3 * Advertisement_Interval + Skew_Time in ns, for adverts every second (RFC 3768 §6.1)."""
    return 3 * SECOND + (256 - priority) * SECOND // 256


def example(name: str) -> str:
    """One of the configuration files beside the demo."""
    return (EXAMPLES / name).read_text(encoding="utf-8")


class Story:
    """Plays the scenarios on a stage, one after the other."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._lab = stage.lab

    def play(self) -> None:
        """All of it, in under a minute and a half."""
        self._act("Two web servers share 10.12.166.80; web1 has the higher priority")
        self._both_start(
            "both start",
            VIP,
            master_down_interval(104),
            (example("web1.conf"), example("web2.conf")),
        )
        self._web1_dies(master_down_interval(102))
        self._web1_returns()
        self._nginx_dies()
        self._nginx_returns()
        self._act("Variants: nopreempt on 10.12.166.90, then the classic mistake")
        self._both_start(
            "nopreempt: both start",
            NOPREEMPT_VIP,
            master_down_interval(55),
            (example("nopreempt1.conf"), example("nopreempt2.conf")),
        )
        self._web1_dies(master_down_interval(54))
        self._web1_returns_without_preempting()
        self._passwords_differ()
        self._stage.recall_client()
        self._stage.record.close(self._lab.now())

    def _both_start(self, title: str, vip: str, interval: int, configs: tuple[str, str]) -> None:
        stage = self._stage
        with self._scenario(title, "web1 holds it", START + interval) as scenario:
            stage.recall_client()
            stage.stop_daemons()
            stage.vip = vip
            scenario.fault = stage.mark(stage.web1, Kind.RECOVERY, "starts")
            stage.start(stage.web1, configs[0])
            # Of two with nearly the same Skew_Time the one that starts first wins.
            stage.wait_for_log(stage.web1, "Entering BACKUP STATE", PATIENCE_S)
            stage.mark(stage.web2, Kind.RECOVERY, "starts")
            stage.start(stage.web2, configs[1])
            self._taken_over(scenario, stage.web1)
            stage.send_client(vip)
            self._served_by(stage.web1)

    def _web1_dies(self, interval: int) -> None:
        stage = self._stage
        with self._scenario("web1 dies", "web2 holds it", interval) as scenario:
            scenario.fault = stage.mark(
                stage.web1, Kind.FAULT, "link cut, every process killed with -9"
            )
            stage.web1.power_off()
            self._taken_over(scenario, stage.web2)
            self._served_by(stage.web2)

    def _web1_returns(self) -> None:
        stage = self._stage
        bound = START + master_down_interval(104)
        with self._scenario("web1 returns", "web1 takes it back", bound) as scenario:
            scenario.fault = stage.mark(stage.web1, Kind.RECOVERY, "boots")
            stage.boot(stage.web1)
            self._taken_over(scenario, stage.web1)
            self._served_by(stage.web1)

    def _nginx_dies(self) -> None:
        stage = self._stage
        bound = SCRIPT_INTERVAL + master_down_interval(102)
        with self._scenario("nginx dies on web1", "web2 holds it", bound) as scenario:
            scenario.fault = stage.mark(stage.web1, Kind.FAULT, "nginx killed")
            stage.servers["web1"].kill()
            self._taken_over(scenario, stage.web2)
            self._served_by(stage.web2)

    def _nginx_returns(self) -> None:
        stage = self._stage
        bound = SCRIPT_INTERVAL + master_down_interval(104)
        with self._scenario("nginx returns", "web1 takes it back", bound) as scenario:
            scenario.fault = stage.mark(stage.web1, Kind.RECOVERY, "nginx started")
            stage.servers["web1"].start()
            self._taken_over(scenario, stage.web1)
            self._served_by(stage.web1)

    def _web1_returns_without_preempting(self) -> None:
        stage = self._stage
        with self._scenario("web1 returns", "web2 keeps it", None) as scenario:
            scenario.fault = stage.mark(stage.web1, Kind.RECOVERY, "boots")
            stage.boot(stage.web1)
            # Longer than web1 would wait before taking over.
            self._adverts(stage.web2, count=6, after=scenario.fault)
            if stage.record.holders() != ["web2"]:
                scenario.failure = f"held by {' and '.join(stage.record.holders()) or 'nobody'}"

    def _passwords_differ(self) -> None:
        stage = self._stage
        with self._scenario("passwords differ", "both routers say so", TELL) as scenario:
            stage.recall_client()
            stage.stop_daemons()
            stage.vip = VIP
            stage.complaints.clear()
            scenario.fault = stage.mark(stage.web1, Kind.FAULT, "starts with another auth_pass")
            stage.start(stage.web1, example("web1.conf").replace("cuongquach", "Aa123456"))
            stage.start(stage.web2, example("web2.conf"))
            self._lab.wait_for(lambda: len(stage.record.holders()) == 2, PATIENCE_S)
            stage.send_client(VIP)
            scenario.fault = self._lab.now()
            self._lab.wait_for(lambda: len(stage.complaints) == 2, TELL / SECOND + PATIENCE_S)
            self._timed(scenario, max(stage.complaints.values()))
            self._adverts(stage.web2, count=3, after=self._lab.now())

    def _taken_over(self, scenario: Scenario, taker: Host) -> None:
        """Wait until the taker holds the address, and nobody else does any more."""
        stage = self._stage
        assert scenario.bound is not None
        added = self._lab.first(
            AddressAdded,
            lambda event: (event.host, event.address) == (taker.name, stage.vip),
            after=scenario.fault,
            timeout=scenario.bound / SECOND + PATIENCE_S,
        )
        scenario.taker = taker.name
        self._timed(scenario, added.at)
        self._lab.wait_for(lambda: stage.record.holders() == [taker.name], PATIENCE_S)

    def _served_by(self, host: Host) -> None:
        """Wait until the client gets the page of the host, and let that be seen for a moment."""
        self._lab.wait_for(lambda: self._stage.page == host.name, PATIENCE_S)
        self._adverts(host, count=2, after=self._lab.now())

    def _adverts(self, host: Host, *, count: int, after: int) -> None:
        """Wait for that many adverts of a host."""
        for _ in range(count):
            after = self._lab.first(
                Advert, lambda advert: advert.host == host.name, after=after, timeout=PATIENCE_S
            ).at

    @staticmethod
    def _timed(scenario: Scenario, at: int) -> None:
        """Note how long it took, and whether that was too long."""
        assert scenario.bound is not None
        scenario.took = at - scenario.fault
        if scenario.took > scenario.bound + TOLERANCE:
            scenario.failure = f"took {scenario.took / SECOND:.2f} s"

    def _act(self, title: str) -> None:
        self._stage.record.acts.append(Act(title=title))
        self._stage.screen.act(title)

    @contextmanager
    def _scenario(self, title: str, expected: str, bound: int | None) -> Iterator[Scenario]:
        """A scenario that ends well, or with what was waited for in vain."""
        record = self._stage.record
        now = self._lab.now()
        scenario = Scenario(
            number=len(record.scenarios) + 1,
            title=title,
            expected=expected,
            bound=bound,
            start=now,
            fault=now,
        )
        record.acts[-1].scenarios.append(scenario)
        self._stage.screen.scenario(scenario)
        try:
            yield scenario
        except LabTimeoutError as error:
            scenario.failure = str(error).partition(";")[0]
        scenario.end = self._lab.now()
        scenario.lost = record.lost(scenario.start, scenario.end)
        self._stage.screen.result(scenario)
