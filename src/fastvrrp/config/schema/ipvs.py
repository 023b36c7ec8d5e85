"""Rows of `global_defs` that concern load balancing."""

from fastvrrp.config.row import NOT_RUN, Keyword
from fastvrrp.config.values import Boolean, Flag, Integer
from fastvrrp.config.values.globals import OptionalText
from fastvrrp.config.values.ipvs import FlushWord, IpvsTimeouts, SyncDaemonWords

__all__ = ["IPVS", "WITHOUT_IPVS"]

WITHOUT_IPVS = "Load balancing is not part of this program yet; virtual routers work without it."
"""Why a keyword of load balancing does nothing."""

IPVS = (
    Keyword(
        "lvs_flush",
        Flag(),
        "Remove all virtual servers of the kernel at the start.",
        to="ipvs.flush",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "lvs_flush_on_stop",
        FlushWord(),
        "Remove all virtual servers of the kernel at the end; VS: only the program's "
        "own, without their real servers first.",
        to="ipvs.flush_on_stop",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "lvs_flush_onstop",
        FlushWord(),
        "Old name of lvs_flush_on_stop.",
        to="ipvs.flush_on_stop",
        alias=True,
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "lvs_timeouts",
        IpvsTimeouts(),
        "How long the kernel remembers connections without packets, in seconds; 0: as before.",
        to=("ipvs.tcp_timeout", "ipvs.tcpfin_timeout", "ipvs.udp_timeout"),
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "lvs_sync_daemon",
        SyncDaemonWords(),
        "Exchange balanced connections with another machine through this interface, as "
        "sender while the instance is active.",
        to="ipvs.sync_daemon",
        first_wins=True,
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "rs_init_notifies",
        Flag(),
        "Run notify_up also for real servers that are up from the start.",
        to="ipvs.notify_initial",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "checker_log_all_failures",
        Boolean(),
        "Log every failed check of a real server.",
        to="ipvs.log_all_failures",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "nftables_ipvs",
        OptionalText("table", absent="keepalived_ipvs"),
        "Balance virtual server groups by firewall marks that this nftables table sets.",
        to="ipvs.table",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "nftables_ipvs_priority",
        Integer(-(2**31), 2**31 - 1),
        "Priority of the chains in that table.",
        to="ipvs.table_priority",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
    Keyword(
        "nftables_ipvs_start_fwmark",
        Integer(1, 2**32 - 1),
        "First firewall mark; each group takes the next one.",
        to="ipvs.start_fwmark",
        support=NOT_RUN,
        why=WITHOUT_IPVS,
    ),
)
