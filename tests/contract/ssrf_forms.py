"""Ways to write an address that is never a device into a URL; `{p}` is a port on which something listens."""

OWN = "127.77.0.1"
"""The one address that the section's own rule opens."""
ZONE = {
    "localhost": ["127.0.0.1 ::1"],
    "loop.lab": ["127.0.0.1"],
    "six.lab": ["::1"],
    "both.lab": ["::1 127.0.0.1"],
    "mapped.lab": ["::ffff:127.0.0.1"],
    "translated.lab": ["64:ff9b::7f00:1"],
    "metadata.lab": ["169.254.169.254"],
    "127.0.0.1.nip.lab": ["127.0.0.1"],
    "own.lab": [OWN],
    "mixed.lab": [f"127.0.0.1 {OWN}"],
    "dead.lab": ["127.77.0.9 127.0.0.1"],
    "rebinding.lab": [OWN, "127.0.0.1"],
}
HOSTS = {
    "loopback": ["127.0.0.1", "127.0.0.2", "127.255.255.254"],
    "short": ["127.1", "127.0.1", "0"],
    "decimal": ["2130706433", "127.65535", "2852039166", "169.254.43518"],
    "octal": ["0177.0.0.1", "0177.1", "017700000001", "00000177.0.0.1", "0251.0376.0251.0376", "00"],
    "hexadecimal": ["0x7f000001", "0x7f.1", "0x7f.0.0.1", "0X7F.0x0.0x0.0x1", "127.0.0.0x1", "0xa9fea9fe", "0x0"],
    "mixed bases": ["0x7f.0.1", "0177.0x0.1", "0xa9.254.0251.254"],
    "this host": ["0.0.0.0", "0.1.2.3"],
    "metadata": ["169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "[fd00:ec2::254]"],
    "metadata of Google by IPv6": ["[fd20:ce::254]"],
    "link-local": ["169.254.1.1", "[fe80::1]"],
    "zone": ["[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]", "[::1%lo]"],
    "multicast and reserved": ["224.0.0.1", "240.0.0.1", "255.255.255.255", "[ff02::1]", "[100::1]"],
    "IPv6": ["[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::]"],
    "mapped": ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:FFFF:7F00:0001]", "[::ffff:a9fe:a9fe]"],
    "compatible": ["[::127.0.0.1]", "[::7f00:1]"],
    "translated": ["[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]"],
    "6to4": ["[2002:7f00:1::]", "[2002:a9fe:a9fe::1]"],
    "Teredo": ["[2001:0:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]"],
    "dot at the end": ["127.0.0.1.", "127.1.", "169.254.169.254.", "localhost."],
    "escapes": ["%31%32%37.0.0.1", "127%2e0%2e0%2e1", "%20127.0.0.1"],
    "user-info": ["user:pw@127.0.0.1", f"{OWN}@127.0.0.1", f"{OWN}:80@127.0.0.1", f"{OWN}%2f@127.0.0.1"],
    "digits that look alike": ["１２７.0.0.1", "①②⑦.0.0.1", "𝟏𝟐𝟕.0.0.1"],  # noqa: RUF001  they are what is tried
    "dots that look alike": ["127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "１２７。０。０。１"],  # noqa: RUF001
    "names": ["localhost", "LocalHost", "loop.lab", "six.lab", "both.lab", "mapped.lab", "translated.lab"],
    "names of metadata and of addresses": ["metadata.lab", "127.0.0.1.nip.lab"],
}
URLS = [
    (f"{kind}: {scheme}://{host}", f"{scheme}://{host}:{{p}}/values.json")
    for kind, hosts in HOSTS.items()
    for host in hosts
    for scheme in (("http", "https") if kind in ("loopback", "mapped") else ("http",))
]
