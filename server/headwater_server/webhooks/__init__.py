"""MLflow's webhooks: who is told of what happens in the registry, and what became of telling them."""
