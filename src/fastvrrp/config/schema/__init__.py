"""Every keyword of keepalived.conf, one row each: the only list of keywords.

The files of this package hold the rows of one part of the language each. A keyword that changes the
protocol, the addresses or who may be active, and is not implemented, is REFUSED: leaving it out
silently could give two active routers. What makes no such difference is IGNORED. Either is
accepted without a word where it is written with its default value.
"""

from fastvrrp.config.model import Config
from fastvrrp.config.row import Block, walk
from fastvrrp.config.schema.globals import GLOBAL_DEFS
from fastvrrp.config.schema.instance import VRRP_INSTANCE
from fastvrrp.config.schema.lvs import LVS
from fastvrrp.config.schema.network import NETWORK
from fastvrrp.config.schema.process import PROCESS
from fastvrrp.config.schema.tracking import TRACKING

__all__ = ["ROOT", "ROOT_ONLY"]

ROOT = Block(
    "",
    doc="The outermost level of the file.",
    to="",
    model=Config,
    rows=(GLOBAL_DEFS, *PROCESS, *TRACKING, *NETWORK, VRRP_INSTANCE, *LVS),
)
"""The outermost level."""

_INNER = {row.name for block, row in walk(ROOT) if block is not ROOT}

ROOT_ONLY = frozenset(
    row.name for row in ROOT.rows if isinstance(row, Block) and row.name not in (*_INNER, "SSL")
)
"""Blocks that stand nowhere but at the outermost level: inside another, a } must be missing."""
