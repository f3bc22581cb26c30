"""Traces as people see them: fetched from a store by Jaeger's query API, put in order, drawn."""
