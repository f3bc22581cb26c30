"""Temporal activities: thin; they unpack, call a use case and map errors."""
