"""Configurations of Envoy, the gateway and the egress proxy, rendered from templates."""
