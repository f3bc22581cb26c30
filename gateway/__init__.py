"""The service that Envoy asks whether a request may pass."""
