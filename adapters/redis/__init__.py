"""The latest readings in Valkey or Redis: reads that would rather not ask the store."""
