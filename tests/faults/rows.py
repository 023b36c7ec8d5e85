"""The rows of docs/faults.md. Which tests show a row is seen from their names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what breaks, what must come of it, and within which bound."""

    number: int
    fault: str
    result: str
    bound: str


LINKS = (
    Row(
        1,
        "The master's cable is pulled",
        "It is in FAULT and lets go at once, the backup takes over; when the cable is back, so is "
        "the master, in its own time. Never do both hold the addresses",
        "50 ms; Active_Down_Interval",
    ),
    Row(
        2,
        "The master's interface is set down",
        "The same; it hears the group again when it is up",
        "50 ms; Active_Down_Interval",
    ),
    Row(
        3,
        "The backup's interface is set down, and up again",
        "FAULT meanwhile, then BACKUP; it hears the group, and never takes over",
        "no takeover",
    ),
    Row(
        4,
        "The master's carrier comes and goes twenty times, faster than anybody can take over",
        "The backup takes over once at most, the master is back once; a few lines for each time",
        "one takeover",
    ),
    Row(
        5,
        "The switch drops everything of the master while its carrier stays",
        "Both hold the addresses; when it is over, the backup yields to the first advert. The "
        "master announces the addresses again if it has heard the backup, which is sure with "
        "`higher_prio_send_advert` only",
        "one interval; 20 ms",
    ),
    Row(
        6,
        "The master's interface is deleted",
        "FAULT at once, its sockets there are closed; the backup takes over",
        "50 ms; Active_Down_Interval",
    ),
    Row(
        7,
        "The interface is made anew, with the same name and another index",
        "The router uses it, and hears the group, without a reload",
        "Active_Down_Interval",
    ),
    Row(
        8,
        "The interface gets another MAC address, or is made anew with another",
        "The addresses are announced with that one",
        "at once",
    ),
    Row(
        9,
        "The interface, or that of an address, gets another name",
        "The new name is told; the router is in FAULT, or, where the address is untracked, goes on "
        "without it. No address is left on it; with its name again all is as before",
        "50 ms; Active_Down_Interval",
    ),
    Row(
        10,
        "The MTU is less than an advert",
        "Three adverts that cannot be sent are a fault: the master lets go, the backup takes over; "
        "when the MTU is as before, the master is back without waiting for its next try",
        "three intervals",
    ),
    Row(
        11,
        "The MTU changes, and adverts fit",
        "Nothing: no announcement, no advert late",
        "no change of state",
    ),
    Row(
        12,
        "The interface below a virtual MAC address is deleted, or leaves for another network "
        "namespace",
        "FAULT; the interface with the virtual MAC is gone, too; both come back together",
        "at once; Active_Down_Interval",
    ),
    Row(
        13,
        "The kernel forgets that an interface is in the multicast group (an MTU below 1280 does "
        "that to IPv6)",
        "The group is joined again as soon as the interface has an address, at the latest after "
        "30 s",
        "at once",
    ),
)

ADDRESSES = (
    Row(
        14,
        "Somebody removes the virtual address from the master",
        "It is set again, and announced; nobody changes its state",
        "50 ms",
    ),
    Row(
        15,
        "Somebody removes the master's own address",
        "FAULT; the farewell comes from that address, so that the backup takes over at once; when "
        "the address is back, so is the master",
        "50 ms; Skew_Time",
    ),
    Row(
        16,
        "The master gets another address of its own instead of the first",
        "The next advert comes from that one",
        "one interval; no change of state",
    ),
    Row(
        17,
        "The virtual address is there at the start, left by a run that was killed",
        "It is removed before anything else",
        "at start",
    ),
    Row(
        19,
        "Somebody adds 5,000 (`make test-all`: 20,000) addresses, and removes them",
        "Adverts stay on time, memory has a bound, and what happens to our own address is seen",
        "two intervals; 2 MB for 1,000",
    ),
    Row(
        20,
        "The kernel's news are lost: its queue overran while the process stood still",
        "Everything is read anew, and the state is what follows from it",
        "at once",
    ),
    Row(
        21,
        "Another host has the virtual IPv6 address, and the interface looks for duplicates",
        "The address is set without looking for others, and usable at once",
        "no dadfailed",
    ),
    Row(
        22,
        "The link-local address is looked for on the network still, or another host has it",
        "FAULT, which says so; the router takes part as soon as it has an address that is usable",
        "at once",
    ),
    Row(
        23,
        "The master gets another link-local address instead of the first",
        "The next advert comes from that one",
        "one interval; no change of state",
    ),
    Row(
        24,
        "Somebody flushes all addresses of the master's interface",
        "As row 15",
        "50 ms; Skew_Time",
    ),
    Row(
        25,
        "Somebody removes a virtual route or rule from the master",
        "It is set again; nobody changes its state",
        "50 ms",
    ),
)

PROCESS = (
    Row(
        26,
        "The master's process is stopped, and goes on later",
        "The backup takes over; when the master goes on, it asserts itself with one advert and "
        "one burst of ARP, and the backup yields. Both hold the addresses as long as the "
        "stopped one cannot know",
        "Active_Down_Interval; one advert",
    ),
    Row(
        27,
        "The backup's process is stopped, and goes on later",
        "No takeover: it reads what waits in its socket before it looks at its timer. If that "
        "was lost, it waits for one more interval",
        "no change of state",
    ),
    Row(
        28,
        "The master's process that runs the protocol is killed",
        "Its parent says farewell in its name, removes what it held, and starts it again; the "
        "backup takes over meanwhile",
        "50 ms; Skew_Time",
    ),
    Row(
        29,
        "The master's parent process is killed",
        "The process that runs the protocol says farewell, removes the addresses and ends",
        "50 ms; Skew_Time",
    ),
    Row(
        30,
        "All processes of the master are killed",
        "Its addresses stay, and the backup takes over beside them; `fastvrrp clean` "
        "(ExecStopPost of the unit) or the next start removes them",
        "Active_Down_Interval",
    ),
    Row(
        31,
        "The master is told to stop",
        "It says farewell, then removes the addresses, and ends; the backup takes over",
        "Skew_Time; 1 s",
    ),
    Row(
        37,
        "Four programs that never stop share the master's CPU",
        "Adverts stay on time, nobody takes over",
        "100 ms late at most",
    ),
)

WIRE = (
    Row(
        40,
        "20, 40 or 60 % of all adverts are lost",
        "The master never lets go, and the addresses are never without a holder; the backup takes "
        "over as often as three in a row are lost, until the next one arrives; "
        "`down_timer_adverts` makes that rarer",
        "(loss)³ for each interval",
    ),
    Row(
        41,
        "The backup does not hear the master",
        "Both hold the addresses; the master, which hears the backup, answers each of its adverts "
        "and announces the addresses again. When the way is whole, the backup yields",
        "one interval",
    ),
    Row(42, "The master does not hear the backup", "Nothing", "no change of state"),
    Row(
        43,
        "The network falls apart, and heals",
        "Each part has a holder; then the better one alone, which announces itself once",
        "one interval",
    ),
    Row(
        44,
        "Every advert arrives twice",
        "Nothing; with AH the second is counted as a replay, and told once a minute",
        "no change of state",
    ),
    Row(
        45,
        "An AH advert arrives after its successors",
        "It is dropped, and keeps no dead master alive",
        "Active_Down_Interval",
    ),
    Row(
        46,
        "All adverts take 3 s from now on",
        "The backup takes over once, until the first late one arrives; then all is as it was",
        "both active for less than 1 s",
    ),
    Row(
        47,
        "A flood of valid adverts of lower priority",
        "Answers, ARP and lines are few, whatever arrives",
        "10 adverts, 10 ARP a second; 10 lines",
    ),
    Row(
        48,
        "A flood with wrong checksums at the backup",
        "It hears the master still; one line",
        "no change of state",
    ),
    Row(
        49,
        "A flood for another VRID, or of another protocol of the same number",
        "It is counted; no line, adverts stay on time. (It reaches the process: there is no filter "
        "in the kernel.)",
        "a fifth of a CPU for 10,000 a second",
    ),
    Row(
        50,
        "A flood of priority 0, in a stranger's or the master's name",
        "The master stays and answers at its own pace; the backup takes over once at most, in the "
        "master's own name once in Active_Down_Interval, until the next advert. Where it is dead "
        "the backup takes over all the same",
        "one takeover (one in Active_Down_Interval), 10 answers a second",
    ),
    Row(
        51,
        "A stranger sends priority 255",
        "Without authentication all yield to it, and name it; unicast peers, allowed_peers, PASS, "
        "AH and auth_hmac keep it out",
        "back in Active_Down_Interval",
    ),
    Row(
        52,
        "Random bytes, of every length up to 1500 and with every length of the IPv4 header",
        "Counters, and one line for each reason",
        "no change of state",
    ),
    Row(53, "TTL 1 or 254, hop limit 64 or 254", "Dropped and told", "no change of state"),
    Row(
        54,
        "A wrong checksum",
        "Dropped and told, also with `v3_checksum_as_v2`",
        "no change of state",
    ),
    Row(
        55,
        "Version 3 over IPv4, the checksum with or without pseudo-header",
        "Both are right, whichever we send",
        "accepted",
    ),
    Row(56, "Max Advertise Interval 0", "Dropped and counted", "no change of state"),
    Row(
        57,
        "One advert of priority 254 with an interval of 40.95 s, then silence",
        "It is believed, as RFC 9568 asks; then the backup takes over. There is no shorter limit",
        "3 x 40.95 s and the skew",
    ),
    Row(
        58,
        "An advert without addresses, or with others than ours",
        "Without: dropped. Others: used, counted, shown as a condition, told once a minute",
        "no change of state",
    ),
    Row(59, "Another type or version", "Dropped", "no change of state"),
    Row(
        60,
        "A wrong or shorter password, no room for one, another type of authentication",
        "Dropped and told",
        "no change of state",
    ),
    Row(
        61,
        "Recorded AH adverts are played to a backup that has just restarted",
        "Refused: what it had heard outlives the restart. A master that restarts as well, "
        "and counts from 1, is heard after Active_Down_Interval",
        "Active_Down_Interval",
    ),
    Row(
        62,
        "auth_hmac, and the clocks differ by 4, 6 or 100 s (the window is 5 s)",
        "Within the window nothing. Beyond it both are active, and an alarm tells why, once a "
        "minute; or the backup is held, if so configured. Replays and adverts without a trailer "
        "are refused",
        "one interval after the clock is set",
    ),
    Row(
        63,
        "Unicast from a host that is no peer, also with TTL 12",
        "Dropped and told",
        "no change of state",
    ),
    Row(
        64,
        "The network brings our own adverts back",
        "Ignored, counted, told once a minute as what it may be: another host with our address",
        "no change of state",
    ),
    Row(
        65,
        "IPv4 options, and fragments",
        "Options are skipped, fragments dropped",
        "accepted; no change of state",
    ),
)

PEERS = (
    Row(
        66,
        "Three routers of equal priority start together, or one after the other",
        "Together: the highest address wins. Later: who is active stays",
        "one round trip",
    ),
    Row(
        67,
        "Of three routers the best one dies",
        "The second takes over, the third stays BACKUP",
        "Active_Down_Interval of the second",
    ),
    Row(
        68,
        "Two hosts with the same address and priority",
        "Neither can tell the other from itself: both are active, say so once a minute and show it",
        "a condition",
    ),
    Row(
        69,
        "Two address owners",
        "The lower address yields. If the other software does not, the higher complains and goes "
        "on with 254 until its rival ends",
        "one round trip; 4 s",
    ),
    Row(
        70,
        "One VRID for two sets of addresses",
        "The lower one stays BACKUP, and shows why",
        "a condition, a counter",
    ),
    Row(
        71,
        "Version 2 with different intervals",
        "Both are active, as RFC 3768 has it, and show why",
        "a condition; one line a minute",
    ),
    Row(
        72,
        "Version 3: the master has 0.5 s, the backup 2 s",
        "The backup goes by the master's",
        "3 x 0.5 s and the skew of 0.5 s",
    ),
    Row(
        73,
        "One router of version 2, one of version 3",
        "Both are active, and show why",
        "a condition; one line a minute",
    ),
    Row(
        74,
        "Different authentication",
        "Both are active, and show why; so do AH and none, which are different IP protocols",
        "a condition; one line a minute",
    ),
)

TIME = (
    Row(98, "The time of day is set by an hour, forward or back", "Nothing", "no advert less"),
    Row(
        99,
        "The backup's monotonic clock jumps, or its host was suspended for an hour",
        "It listens first. After a suspend it waits for a whole Active_Down_Interval",
        "Active_Down_Interval after it",
    ),
    Row(
        100,
        "The same at the master",
        "Clock: one advert at once, and it stays. Suspend: it lets go at once without a farewell, "
        "since another one has taken over, and comes back in order; an owner sends at once and "
        "stays",
        "the same instant",
    ),
    Row(
        101,
        "Clocks pass 2³¹ or 2³² of any unit in the middle of an election",
        "All is as at any other time",
        "to the nanosecond",
    ),
    Row(
        102,
        "Thousands of signals a second, some of which end every system call that waits",
        "Adverts stay on time, no line",
        "50 ms",
    ),
    Row(
        103,
        "AH sequence numbers come to their end",
        "The master lets go, the backup takes over, the better one comes back; all counters begin "
        "anew, nothing is refused",
        "Active_Down_Interval without a holder, once",
    ),
    Row(
        104,
        "Both hosts stand still for 30 s, or are suspended for an hour",
        "The same router holds the addresses afterwards, and never both",
        "at once; Active_Down_Interval after a suspend",
    ),
    Row(
        105,
        "A client is connected to the virtual address when the router changes",
        "A firewall that follows connections resets it once; new ones are accepted at once, "
        "nothing is invalid. Moving the table of connections is left to hooks",
        "one reset",
    ),
    Row(
        106,
        "A stream of rejected adverts that would win, from three in each interval to 100,000 a "
        "second",
        "Adverts stay on time; one line",
        "50 ms",
    ),
)

RELOAD = (
    Row(
        75,
        "The file is garbage at a reload",
        "The running configuration stays, adverts stay on time, the log says what is wrong",
        "no change of state",
    ),
    Row(
        76,
        "One value in the file is wrong at a reload",
        "The same; the log has file, line and column",
        "no change of state",
    ),
    Row(
        77,
        "The file is removed, empty, 100 MB, endless, a directory, a FIFO, or cannot be read at a "
        "reload",
        "The same; nothing waits for it",
        "no change of state",
    ),
    Row(
        78,
        "A hundred reloads in two seconds",
        "Adverts stay on time, none is sent in addition, nothing is left open",
        "no change of state",
    ),
    Row(
        79,
        "A reload with another priority, interval, VRID, interface, addresses",
        "What is different changes; an address that both have is never removed. Another VRID or "
        "interface is another router: it resigns and begins anew",
        "no address touched",
    ),
    Row(
        80,
        "The file includes itself, or one that is not there, at a reload",
        "As row 75",
        "no change of state",
    ),
)

PARTS = (
    ("Links", LINKS),
    ("Addresses", ADDRESSES),
    ("Processes", PROCESS),
    ("The wire", WIRE),
    ("Peers and configuration", PEERS),
    ("Reload", RELOAD),
    ("Time", TIME),
)
