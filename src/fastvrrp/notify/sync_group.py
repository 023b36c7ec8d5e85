"""SyncGroup: the running self of one `vrrp_sync_group`, on the cold side.

The core keeps the members together; here is what people see of it: the common state, who holds
whom back, and the scripts of the group.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from fastvrrp.config.model import GlobalConfig
from fastvrrp.config.model import SyncGroup as SyncGroupConfig
from fastvrrp.names import Fault, State
from fastvrrp.notify.hooks import STOP, Hooks

__all__ = ["Member", "SyncGroup"]

log = logging.getLogger("fastvrrp.vrrp")


class Member(Protocol):
    """What a group knows of a virtual router."""

    @property
    def name(self) -> str:
        """The name of the instance."""

    @property
    def state(self) -> State:
        """The state that was last told."""

    @property
    def faults(self) -> dict[Fault, str]:
        """What holds it back itself, in words."""


class SyncGroup:
    """The group `config` of `members`, in its order. `state` is that of all members; while they
    differ, the one before."""

    def __init__(self, config: SyncGroupConfig, hooks: Hooks) -> None:
        self.config = config
        self.hooks = hooks
        self.state = State.INIT
        self.members: Sequence[Member] = ()
        self._target = State.INIT
        self._stop_told = False

    def update(
        self, config: SyncGroupConfig, global_defs: GlobalConfig, members: Sequence[Member]
    ) -> None:
        """Be the group `config` of `members` from now on; a state that they share is told if it
        was not."""
        self.config = config
        self.members = members
        self.hooks.update(config, global_defs)
        states = {member.state for member in members}
        if len(states) == 1:
            (self._target,) = states
            self._settle(self._target)

    def on_member_changed(self, state: State) -> None:
        """A member is in `state` now: tell that the others follow, and that all are there."""
        if state is not self._target:
            if State.INIT not in (self._target, state):
                name = self.config.name
                log.info("VRRP_Group(%s) Syncing instances to %s state", name, _word(state))
            self._target = state
        self._settle(state)

    def _settle(self, state: State) -> None:
        """Tell that all members are in `state`, if they are."""
        if state is not self.state and all(member.state is state for member in self.members):
            self.state = state
            self._stop_told = state is State.INIT
            self.hooks.notify(_word(state), 0)

    def tell_stop(self) -> None:
        """Run the scripts for STOP, unless they were: a group that never was anything ends, too."""
        if not self._stop_told:
            self._stop_told = True
            self.hooks.notify(STOP, 0)

    def held_by(self, member: Member) -> str | None:
        """Return which other members hold `member` back, and why; None: no one."""
        others = [
            f"{other.name} ({', '.join(other.faults.values())})"
            for other in self.members
            if other is not member and other.faults
        ]
        return f"sync group {self.config.name} waits for {', '.join(others)}" if others else None


def _word(state: State) -> str:
    return STOP if state is State.INIT else state.keepalived
