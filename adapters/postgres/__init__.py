"""PostgreSQL: registry, outcomes, history, keys."""
