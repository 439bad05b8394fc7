"""The receivers that an operator admits although the table of addresses forbids them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from schemas.addresses import BY_THEMSELVES, MAPPED, Network, only_by_itself, unwrapped
from schemas.hosts import in_url, is_address, normal_host


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
            judged = unwrapped(address)
        except ValueError:
            return False
        alone = only_by_itself(judged)
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
        return self.admits_host(host, port) and not only_by_itself(unwrapped(address))


def _network(entry: str) -> Network | None:
    """None if the entry is no network. Raises ValueError where it can admit nothing."""
    if "/" not in entry and not _reads_as_address(entry):
        return None
    try:
        network = ip_network(entry)
    except ValueError:
        raise ValueError("must be a network such as 10.0.0.0/8, with no bits set behind its length") from None
    if isinstance(network, IPv6Network) and network.subnet_of(MAPPED):
        raise ValueError("must be written as the IPv4 network that it stands for")
    if network.num_addresses > 1 and any(_within(network, special) for special in BY_THEMSELVES):
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
    if is_address(host) and only_by_itself(unwrapped(host)):
        raise ValueError("must be the address alone, without a port")
    return in_url(host) + (f":{int(port)}" if colon else "")
