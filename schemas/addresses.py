"""Which addresses a webhook may not be sent to: a table."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Not `is_private` and `is_global` of the standard library: they miss ranges, and differ between patch releases.
_FORBIDDEN4 = tuple(
    (IPv4Network(network), word)
    for network, word in (
        ("0.0.0.0/8", "reserved"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "metadata"),  # Azure
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_PUBLIC6 = IPv6Network("2000::/3")
_FORBIDDEN6 = tuple(
    (IPv6Network(network), word)
    for network, word in (
        ("::1/128", "loopback"),
        ("64:ff9b::/96", "translated"),
        ("64:ff9b:1::/48", "translated"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "translated"),
        ("3fff::/20", "documentation"),
    )
)
_CARRIERS = tuple(
    (IPv6Network(network), bits)
    for network, bits in (
        ("::/96", 0),
        ("::ffff:0:0:0/96", 0),
        ("64:ff9b::/96", 0),
        ("2002::/16", 80),
    )
)
"""IPv6 networks whose addresses carry an IPv4 address, and how many bits follow it."""

MAPPED = IPv6Network("::ffff:0:0/96")
BY_THEMSELVES: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16", "fe80::/10", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
        "fd00:ec2::23", "64:ff9b:1::/48", "2001::/32",
    )
)  # fmt: skip
"""Link-local addresses, those where clouds hand out credentials, and those that one's translator or a tunnel (Teredo)
may lead to either: no wider network and no name admits them."""


def why_forbidden(address: str) -> str | None:
    """What is wrong with the text of an address: a word such as `private`; None if it may be dialled."""
    try:
        judged = unwrapped(address)
    except ValueError:
        return "malformed"
    if isinstance(judged, IPv4Address):
        return next((word for network, word in _FORBIDDEN4 if judged in network), None)
    word = next((word for network, word in _FORBIDDEN6 if judged in network), None)
    return word or (None if judged in _PUBLIC6 else "reserved")


def unwrapped(text: str) -> Address:
    """Raises ValueError. An IPv4 address inside an IPv6 one counts as itself; the zone of a sockaddr does not count."""
    address = ip_address(text.partition("%")[0])
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def only_by_itself(address: Address) -> bool:
    """Whether no wider network and no name may admit it, whatever it is wrapped in."""
    carried = [IPv4Address(int(address) >> bits & 0xFFFFFFFF) for network, bits in _CARRIERS if address in network]
    return any(judged in network for judged in (address, *carried) for network in BY_THEMSELVES)
