"""The model registry: models, versions, stages as intervals, aliases; who moved what, when and why."""
