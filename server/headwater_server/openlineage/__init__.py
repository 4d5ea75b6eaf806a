"""OpenLineage's meaning: events placed, statements named, facets understood, all as facts. Pure."""
