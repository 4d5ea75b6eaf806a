"""The events that a webhook may ask for, with an example of what is told of each. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from headwater_server.errors import Invalid

_MODEL: Final = {"name": "churn"}
_VERSION: Final = {**_MODEL, "version": "3"}
_PROMPT: Final = {"name": "greeting"}
_PROMPT_VERSION: Final = {**_PROMPT, "version": "2"}
_TAGGED: Final = {"key": "team", "value": "retention"}
_MORE: Final = {"tags": {"team": "retention"}, "description": "an example"}

OF_MLFLOW: Final[Mapping[str, Mapping[str, Any]]] = {
    "registered_model.created": {**_MODEL, **_MORE},
    "model_version.created": {
        **_VERSION,
        "source": "models:/m-0123456789abcdef",
        "run_id": "0123456789abcdef0123456789abcdef",
        **_MORE,
    },
    "model_version_tag.set": {**_VERSION, **_TAGGED},
    "model_version_tag.deleted": {**_VERSION, "key": "team"},
    "model_version_alias.created": {**_MODEL, "alias": "champion", "version": "3"},
    "model_version_alias.deleted": {**_MODEL, "alias": "champion"},
    "prompt.created": {**_PROMPT, **_MORE},
    "prompt_version.created": {**_PROMPT_VERSION, "template": "Dear {{name}}", **_MORE},
    "prompt_tag.set": {**_PROMPT, **_TAGGED},
    "prompt_tag.deleted": {**_PROMPT, "key": "team"},
    "prompt_version_tag.set": {**_PROMPT_VERSION, **_TAGGED},
    "prompt_version_tag.deleted": {**_PROMPT_VERSION, "key": "team"},
    "prompt_alias.created": {**_PROMPT, "alias": "live", "version": "2"},
    "prompt_alias.deleted": {**_PROMPT, "alias": "live"},
    "budget_policy.exceeded": {
        "budget_policy_id": "bp-1",
        "budget_unit": "USD",
        "budget_amount": 50.0,
        "current_spend": 51.5,
        "duration_unit": "MONTHS",
        "duration_value": 1,
        "target_scope": "GLOBAL",
        "workspace": "default",
        "target_value": None,
        "window_start": 1_760_000_000_000,
    },
}
"""Those that MLflow 3.17 knows. Budgets are of its gateway: nothing here tells of them."""
OF_OURS: Final[Mapping[str, Mapping[str, Any]]] = {
    "model_version_stage.updated": {
        **_VERSION,
        "from_stage": "Staging",
        "to_stage": "Production",
        "user_id": "ada",
        "comment": "an example",
    },
}
EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {**OF_MLFLOW, **OF_OURS}


def checked(names: Iterable[str]) -> tuple[str, ...]:
    """Each once.

    Raises:
        Invalid: one that there is not.

    """
    found = tuple(dict.fromkeys(names))
    for name in found:
        if name not in EXAMPLES:
            entity, _, action = name.partition(".")
            valid = [known.partition(".")[2] for known in EXAMPLES if known.startswith(f"{entity}.")]
            if valid:
                raise Invalid(
                    f"Invalid action '{action}' for entity '{entity}'. Valid actions are: {sorted(valid)}"
                )
            raise Invalid(f"There is no webhook event {name!r}. There are {', '.join(EXAMPLES)}.")
    return found
