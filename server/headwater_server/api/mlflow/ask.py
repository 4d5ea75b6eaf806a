"""One call: who asks, what was said, and the features that can answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headwater_server.auth.policy import Principal
from headwater_server.auth.sight import Sight
from headwater_server.errors import Invalid
from headwater_server.registry.service import Registry
from headwater_server.tracking.batches import checked_time
from headwater_server.tracking.files import Files
from headwater_server.tracking.search import Asked, View
from headwater_server.tracking.service import Tracking
from headwater_server.webhooks.service import Webhooks


@dataclass(frozen=True, slots=True)
class Features:
    """What the API speaks for."""

    tracking: Tracking
    registry: Registry
    files: Files
    webhooks: Webhooks


@dataclass(frozen=True, slots=True)
class Ask:
    of: Features
    said: Mapping[str, Any]
    principal: Principal

    @property
    def actor(self) -> str:
        return self.principal.name

    @property
    def sight(self) -> Sight:
        return Sight(self.principal)

    @property
    def tracking(self) -> Tracking:
        return self.of.tracking

    @property
    def registry(self) -> Registry:
        return self.of.registry

    @property
    def webhooks(self) -> Webhooks:
        return self.of.webhooks

    def text(self, name: str) -> str:
        """A required field's, or `` for an optional one that is not there."""
        return str(self.said.get(name) or "")

    def maybe(self, name: str) -> Any:
        return self.said.get(name)

    @property
    def at(self) -> int | None:
        """When it happened, in microseconds, where that was elsewhere and before."""
        said = self.said.get("at")
        return None if said is None else checked_time(said, "at") * 1_000

    @property
    def run_id(self) -> str:
        """Old clients say run_uuid."""
        found = self.said.get("run_id") or self.said.get("run_uuid")
        if not found:
            raise Invalid("Missing value for required parameter 'run_id'.")
        return str(found)

    @property
    def version(self) -> str:
        """Of a model. Raises Invalid: what is said is no number."""
        said = self.text("version")
        if not said.isdecimal():
            raise Invalid(f"Parameter 'version' must be an integer, got '{said[:100]}'.")
        return said.lstrip("0") or "0"

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """Tags or params."""
        return [(one["key"], one.get("value", "")) for one in self.said.get(name) or ()]

    def asked(self, default: int) -> Asked:
        """The search."""
        size = self.said.get("max_results")
        return Asked(
            self.text("filter"),
            self.said.get("order_by") or (),
            default if size is None else size,
            self.text("page_token") or None,
        )

    def view(self, name: str) -> View:
        return View(self.said.get(name) or View.ACTIVE_ONLY)
