"""A certificate that a device made for itself, with its key: only for tests, trusted by nobody, valid until 2099.

It says `chamber.test`; it was made once with `openssl ca -selfsign`, because the standard library makes none.
"""

import ssl
from pathlib import Path

CERTIFICATE_AND_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgg/EJvdtxZgt5EU6d
aVm3DpHRf1XHsf66EdCbYQ7rDzuhRANCAARPeuhV3SdbCZ0v58yw8QdlcE2mtq98
sd/DzfkcePAKkcYjN0dV25aWIIOPHH8nNopiM9mQbVgkuUOy9iTWbgoU
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBaTCCARCgAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxjaGFtYmVy
LnRlc3QwIBcNMDAwMTAxMDAwMDAwWhgPMjA5OTEyMzEwMDAwMDBaMBcxFTATBgNV
BAMMDGNoYW1iZXIudGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABE966FXd
J1sJnS/nzLDxB2VwTaa2r3yx38PN+Rx48AqRxiM3R1XblpYgg48cfyc2imIz2ZBt
WCS5Q7L2JNZuChSjSzBJMBcGA1UdEQQQMA6CDGNoYW1iZXIudGVzdDAPBgNVHRMB
Af8EBTADAQH/MB0GA1UdDgQWBBQXSXPe/N8pEtk+k/aP93lTT7sGqjAKBggqhkjO
PQQDAgNHADBEAiB2Vw0aXZP8Z4t7BOaaV5IPnONTJ0thAQykgUHRYGAd+gIgRA2X
SsydgXl2dfdEBBrpjbcaGU4D5XKZGwzPwz400Gs=
-----END CERTIFICATE-----
"""


def serving_context(folder: Path) -> ssl.SSLContext:
    """What the device serves with; the certificate is written into the folder, for ssl reads files only."""
    path = folder / "device.pem"
    path.write_text(CERTIFICATE_AND_KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def trusting_context() -> ssl.SSLContext:
    """A client's context that verifies, and trusts the device's certificate only."""
    return ssl.create_default_context(cadata=CERTIFICATE_AND_KEY[CERTIFICATE_AND_KEY.index("-----BEGIN CERT") :])
