"""Hosts as they stand in a URL: a name, an IPv4 address or a bracketed IPv6 address, each in one form."""

import re
from ipaddress import IPv4Address, IPv6Address

import idna

MOST_CHARACTERS = 253
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def normal_host(text: str) -> str:
    """The host in lower case and ASCII, an IPv6 address without its brackets. Raises ValueError, which says why.

    Whatever libc would take for an address is one here, or is refused: `127.1`, `0x7f000001` and the like.
    """
    if text.startswith("["):
        return _address6(text)
    name = (text if text.isascii() else _encoded(text)).lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > MOST_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("must name a host by letters, digits, hyphens and dots")
    return _address4(name) if _NUMBER.fullmatch(labels[-1]) else name


def in_url(host: str) -> str:
    """A normal host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def is_address(host: str) -> bool:
    """Whether a normal host is an address; else it is a name, which is looked up."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def _encoded(text: str) -> str:
    try:
        return idna.encode(text, uts46=True).decode()
    except UnicodeError:
        raise ValueError("must name a host that the rules for international names allow") from None


def _address4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise ValueError("must write an IPv4 address as four decimal numbers") from None


def _address6(text: str) -> str:
    try:
        if not text.endswith("]") or "%" in text:
            raise ValueError
        return str(IPv6Address(text[1:-1]))
    except ValueError:
        raise ValueError("must write an IPv6 address in brackets, without a zone") from None
