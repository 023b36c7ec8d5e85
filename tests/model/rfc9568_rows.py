"""The transition table of the model, as data: read it from the top.

The first row whose state, event and condition fit is carried out action by action; then the state
changes, and then the other members of the sync group get the event `group` (in order). An event
without a fitting row is ignored. With `again` the same event is judged once more afterwards.
Conditions and actions are phrases; rfc9568_words.py has the few lines of Python for each.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table. `then` None: the state stays. `reason` is that of the state change."""

    state: str
    event: str
    when: str
    do: tuple[str, ...]
    then: str | None = None
    reason: str = ""
    source: str = "RFC 9568"
    group: str = ""
    again: bool = False


TAKE_OVER = (
    "restore the owner's priority",
    "forget failed adverts",
    "take our own interval",
    "forget the active router",
    "stop the preemption delay",
    "skip AH sequence numbers",
    "send an advert",
    "install the addresses",
    "announce the addresses",
    "start Adver_Timer",
    "schedule further announcements",
)
WATCH = (
    "take our own interval",
    "forget the active router",
    "stop the preemption delay",
    "start Active_Down_Timer",
)
STEP_DOWN = ("stop all timers", "withdraw the addresses", *WATCH)
YIELD = (
    "stop all timers",
    "stop the preemption delay",
    "learn the interval",
    "remember the active router",
    "withdraw the addresses",
    "start Active_Down_Timer",
    "the group may defer",
)
GIVE_UP = ("stop all timers", "restore the owner's priority", "forget the rival owner")
RESIGN = ("stop all timers", "send priority 0", "withdraw the addresses", *GIVE_UP)
END = ("forget the send fault",)
FOLLOW = (
    "learn the interval",
    "remember the active router",
    "watch again",
    "the group has found its better router",
)
LEAD = ("the group defers no more", *TAKE_OVER)
FAULTS = "faults added here"
GROUPS = "sync groups"

TABLE = (
    # ---- Initialize ----
    Row("INIT", "startup", "no fault, owners", TAKE_OVER, "ACTIVE", "OWNER", "RFC 9568 §6.4.1"),
    Row("INIT", "startup", "no fault", WATCH, "BACKUP", "STARTUP", "RFC 9568 §6.4.1"),
    Row("INIT", "startup", "only pending", (), "WAIT", "", FAULTS),
    Row("INIT", "startup", "own fault", (), "FAULT", "FAULT", FAULTS),
    Row("INIT", "startup", "always", (), "FAULT", "GROUP", GROUPS),
    Row("WAIT", "faults", "no fault, owners", TAKE_OVER, "ACTIVE", "OWNER", FAULTS),
    Row("WAIT", "faults", "no fault", WATCH, "BACKUP", "STARTUP", FAULTS),
    Row("WAIT", "faults", "only pending", (), None, "", FAULTS),
    Row("WAIT", "faults", "own fault", (), "FAULT", "FAULT", FAULTS),
    Row("WAIT", "faults", "always", (), "FAULT", "GROUP", GROUPS),
    Row("WAIT", "shutdown", "always", END, "INIT", "SHUTDOWN", FAULTS),
    # ---- FAULT ----
    Row("FAULT", "faults", "no fault, owners", TAKE_OVER, "ACTIVE", "OWNER", FAULTS),
    Row("FAULT", "faults", "no fault", WATCH, "BACKUP", "FAULT_CLEARED", FAULTS),
    Row("FAULT", "retry", "always", ("clear the send fault",), None, "", "send failures"),
    Row("FAULT", "shutdown", "always", (*GIVE_UP, *END), "INIT", "SHUTDOWN", FAULTS),
    # ---- Backup ----
    Row("BACKUP", "shutdown", "always", (*GIVE_UP, *END), "INIT", "SHUTDOWN", "RFC 9568 §6.4.2"),
    Row("BACKUP", "faults", "own fault", GIVE_UP, "FAULT", "FAULT", FAULTS),
    Row("BACKUP", "faults", "any fault", GIVE_UP, "FAULT", "GROUP", GROUPS),
    Row("BACKUP", "priority", "always", ("move Active_Down_Timer",), None, "", "keepalived"),
    Row("BACKUP", "resume", "slept an interval", ("watch again",), source="suspend"),
    Row("BACKUP", "Active_Down_Timer", "stood still", ("grant one interval",), None, "", "stall"),
    Row(
        "BACKUP",
        "Active_Down_Timer",
        "reduced owner",
        ("restore the owner's priority",),
        source="keepalived",
        again=True,
    ),
    Row("BACKUP", "Active_Down_Timer", "group not ready", ("wait for the group",), source=GROUPS),
    Row("BACKUP", "Active_Down_Timer", "group defers", ("let others go first",), source=GROUPS),
    Row(
        "BACKUP",
        "Active_Down_Timer",
        "active router resigned",
        LEAD,
        "ACTIVE",
        "RESIGNED",
        "RFC 9568 §6.4.2",
        group="the group takes over",
    ),
    Row(
        "BACKUP",
        "Active_Down_Timer",
        "adverts were discarded",
        LEAD,
        "ACTIVE",
        "PREEMPTION",
        "RFC 9568 §6.4.2",
        group="the group takes over",
    ),
    Row(
        "BACKUP",
        "Active_Down_Timer",
        "always",
        LEAD,
        "ACTIVE",
        "TIMEOUT",
        "RFC 9568 §6.4.2",
        group="the group takes over",
    ),
    Row("BACKUP", "the group takes over", "always", TAKE_OVER, "ACTIVE", "GROUP", GROUPS),
    Row("BACKUP", "advert", "owner who ignores adverts", (), None, "", "keepalived"),
    Row(
        "BACKUP",
        "advert",
        "the rival owner is gone",
        ("restore the owner's priority", "move Active_Down_Timer"),
        source="keepalived",
        again=True,
    ),
    Row(
        "BACKUP",
        "advert",
        "priority 0",
        ("shorten Active_Down_Timer to Skew_Time",),
        None,
        "",
        "RFC 9568 §6.4.2",
    ),
    Row(
        "BACKUP",
        "advert",
        "not below ours",
        ("stop the preemption delay", *FOLLOW),
        None,
        "",
        "RFC 9568 §6.4.2",
    ),
    Row("BACKUP", "advert", "no preemption", FOLLOW, None, "", "RFC 9568 §6.4.2"),
    Row(
        "BACKUP",
        "advert",
        "preemption delayed",
        ("start the preemption delay", *FOLLOW),
        None,
        "",
        "keepalived",
    ),
    Row("BACKUP", "advert", "always", ("discard",), None, "", "RFC 9568 §6.4.2"),
    # ---- Active ----
    Row("ACTIVE", "shutdown", "always", (*RESIGN, *END), "INIT", "SHUTDOWN", "RFC 9568 §6.4.3"),
    Row("ACTIVE", "faults", "own fault", RESIGN, "FAULT", "FAULT", FAULTS),
    Row("ACTIVE", "faults", "any fault", RESIGN, "FAULT", "GROUP", GROUPS),
    Row(
        "ACTIVE",
        "resume",
        "slept an interval, owners",
        ("send an advert", "start Adver_Timer"),
        None,
        "",
        "suspend",
    ),
    Row(
        "ACTIVE",
        "resume",
        "slept an interval",
        STEP_DOWN,
        "BACKUP",
        "RESUME",
        "suspend",
        group="the group steps down",
    ),
    Row("ACTIVE", "the group steps down", "always", STEP_DOWN, "BACKUP", "GROUP", GROUPS),
    Row(
        "ACTIVE",
        "Adver_Timer",
        "others may have taken over",
        STEP_DOWN,
        "BACKUP",
        "STALL",
        "timer_expired_backup",
        group="the group steps down",
    ),
    Row(
        "ACTIVE",
        "Adver_Timer",
        "AH sequence ends",
        ("restart the AH sequence", *STEP_DOWN),
        "BACKUP",
        "SEQUENCE",
        "RFC 4302 §3.3.2",
        group="the group steps down",
    ),
    Row(
        "ACTIVE",
        "Adver_Timer",
        "always",
        ("send an advert", "restart Adver_Timer from its due time"),
        None,
        "",
        "RFC 9568 §6.4.3",
    ),
    Row("ACTIVE", "announcement", "always", ("announce what is due",), None, "", "keepalived"),
    Row("ACTIVE", "advert", "owner who ignores adverts", (), None, "", "keepalived"),
    Row(
        "ACTIVE",
        "advert",
        "others may have taken over",
        STEP_DOWN,
        "BACKUP",
        "STALL",
        "timer_expired_backup",
        group="the group steps down",
        again=True,
    ),
    Row("ACTIVE", "advert", "priority 0", ("answer",), None, "", "RFC 9568 §6.4.3"),
    Row(
        "ACTIVE",
        "advert",
        "above ours, one more advert",
        ("send an advert", *YIELD),
        "BACKUP",
        "HIGHER_PRIORITY",
        "higher_prio_send_advert",
        group="the group steps down",
    ),
    Row(
        "ACTIVE",
        "advert",
        "above ours",
        YIELD,
        "BACKUP",
        "HIGHER_PRIORITY",
        "RFC 9568 §6.4.3",
        group="the group steps down",
    ),
    Row(
        "ACTIVE",
        "advert",
        "equal, higher address, one more advert",
        ("send an advert", *YIELD),
        "BACKUP",
        "HIGHER_ADDRESS",
        "higher_prio_send_advert",
        group="the group steps down",
    ),
    Row(
        "ACTIVE",
        "advert",
        "equal, higher address",
        YIELD,
        "BACKUP",
        "HIGHER_ADDRESS",
        "RFC 9568 §6.4.3",
        group="the group steps down",
    ),
    Row("ACTIVE", "advert", "equal, own address", (), None, "", "keepalived"),
    Row(
        "ACTIVE",
        "advert",
        "a rival owner stays",
        ("reduce our priority",),
        source="keepalived",
        again=True,
    ),
    Row(
        "ACTIVE",
        "advert",
        "a rival owner, no answers",
        ("watch the rival owner", "announce after a lower advert"),
        source="lower_prio_no_advert",
        group="the group heard a lower advert",
    ),
    Row(
        "ACTIVE",
        "advert",
        "a rival owner",
        ("watch the rival owner", "answer", "announce after a lower advert"),
        source="keepalived",
        group="the group heard a lower advert",
    ),
    Row(
        "ACTIVE",
        "advert",
        "no answers",
        ("announce after a lower advert",),
        source="lower_prio_no_advert",
        group="the group heard a lower advert",
    ),
    Row(
        "ACTIVE",
        "advert",
        "always",
        ("answer", "announce after a lower advert"),
        None,
        "",
        "RFC 9568 §6.4.3",
        group="the group heard a lower advert",
    ),
    Row(
        "ACTIVE",
        "the group heard a lower advert",
        "always",
        ("announce after a lower advert",),
        source=GROUPS,
    ),
    Row(
        "ACTIVE",
        "advert failed",
        "three times, or after a retry",
        ("set the send fault",),
        source="send failures",
    ),
)
