"""Which addresses a webhook may be sent to: a table of those that it may not, and the operator's exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from schemas.hosts import in_url, is_address, normal_host

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
_MAPPED = IPv6Network("::ffff:0:0/96")
_BY_THEMSELVES: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16", "fe80::/10", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
        "fd00:ec2::23",
    )
)  # fmt: skip
"""Link-local addresses and those where clouds hand out credentials: no wider network and no name admits them."""


def why_forbidden(address: str) -> str | None:
    """What is wrong with the text of an address: a word such as `private`; None if it may be dialled."""
    try:
        judged = _unwrapped(address)
    except ValueError:
        return "malformed"
    if isinstance(judged, IPv4Address):
        return next((word for network, word in _FORBIDDEN4 if judged in network), None)
    word = next((word for network, word in _FORBIDDEN6 if judged in network), None)
    return word or (None if judged in _PUBLIC6 else "reserved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """What the operator admits although the table forbids it. `hosts` holds `host` and `host:port`."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Allow:
        """From comma-separated networks, addresses, hosts and host:port. Raises ValueError, which names the entry."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in filter(None, (part.strip() for part in text.split(","))):
            try:
                read = _network(entry) or _host(entry)
            except ValueError as error:
                raise ValueError(f"{entry!r} {error}") from None
            if isinstance(read, str):
                hosts.add(read)
            else:
                networks.append(read)
        return cls(networks=tuple(networks), hosts=frozenset(hosts))

    @property
    def has_networks(self) -> bool:
        return bool(self.networks)

    def admits_address(self, address: str) -> bool:
        try:
            judged = _unwrapped(address)
        except ValueError:
            return False
        alone = _only_by_itself(judged)
        return any(judged in network and (network.num_addresses == 1 or not alone) for network in self.networks)

    def admits_host(self, host: str, port: int) -> bool:
        """Whether the normal host is named, with this port or with none."""
        return bool(self.hosts) and (in_url(host) in self.hosts or self.names_port(host, port))

    def names_port(self, host: str, port: int) -> bool:
        """Whether the normal host is named with this very port."""
        return f"{in_url(host)}:{port}" in self.hosts

    def admits(self, address: str, *, host: str, port: int) -> bool:
        """Whether `address` may be dialled for `host`, whatever the table says."""
        if self.admits_address(address):
            return True
        return self.admits_host(host, port) and not _only_by_itself(_unwrapped(address))


def _unwrapped(text: str) -> Address:
    """Raises ValueError. An IPv4 address inside an IPv6 one counts as itself; the zone of a sockaddr does not count."""
    address = ip_address(text.partition("%")[0])
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _only_by_itself(address: Address) -> bool:
    return any(address in network for network in _BY_THEMSELVES)


def _network(entry: str) -> Network | None:
    """None if the entry is no network. Raises ValueError where it can admit nothing."""
    if "/" not in entry and not _reads_as_address(entry):
        return None
    try:
        network = ip_network(entry)
    except ValueError:
        raise ValueError("must be a network such as 10.0.0.0/8, with no bits set behind its length") from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        raise ValueError("must be written as the IPv4 network that it stands for")
    if network.num_addresses > 1 and any(_within(network, special) for special in _BY_THEMSELVES):
        raise ValueError("must be a single address: link-local networks are not admitted as a whole")
    return network


def _reads_as_address(entry: str) -> bool:
    try:
        ip_address(entry)
    except ValueError:
        return False
    return True


def _within(network: Network, other: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and network.subnet_of(other)
    return isinstance(other, IPv6Network) and network.subnet_of(other)


def _host(entry: str) -> str:
    """`host` or `host:port` in normal form. Raises ValueError."""
    text, colon, port = entry.rpartition(":") if ":" in entry.rpartition("]")[2] else (entry, "", "")
    host = normal_host(text)
    if colon and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError("must name a port from 1 to 65535")
    if is_address(host) and _only_by_itself(_unwrapped(host)):
        raise ValueError("must be the address alone, without a port")
    return in_url(host) + (f":{int(port)}" if colon else "")
