"""The worker process: polls Temporal, runs workflows and activities."""
