"""How MLflow's clients keep prompts: as models with a tag, whose versions hold the text in a tag of theirs. Pure."""

from collections.abc import Mapping
from typing import Final

IS_PROMPT: Final = "mlflow.prompt.is_prompt"
TEXT: Final = "mlflow.prompt.text"
FORM: Final = "_mlflow_prompt_type"


def is_prompt(tags: Mapping[str, str | None]) -> bool:
    """By the tags of a model or of a version."""
    return str(tags.get(IS_PROMPT) or "").lower() == "true"
