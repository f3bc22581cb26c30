"""Whom we trust."""

import ssl

import httpx


def verifying_context() -> ssl.SSLContext:
    """Verifies against the public authorities and those of this machine (a lab's own are added there)."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def trusting_context() -> ssl.SSLContext:
    """Accepts any certificate, for devices that made their own."""
    return httpx.create_ssl_context(verify=False, trust_env=False)
