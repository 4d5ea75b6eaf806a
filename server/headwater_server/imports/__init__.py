"""What other tools keep in files, told as OpenLineage events: dbt artifacts, DVC pipelines, SQL files. Pure, but for the reading."""
