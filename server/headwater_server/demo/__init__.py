"""The demo: a small web shop, three weeks of its events, and what its ML team told the registry. Data only."""

from headwater_server.demo.models import Command, commands
from headwater_server.demo.nights import events

__all__ = ["Command", "commands", "events"]
