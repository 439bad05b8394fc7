"""URLs of receivers that must never be dialled, and of such that must."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A URL whose text is in order; `answers` are what its name is looked up to."""

    url: str
    answers: list[str] = field(default_factory=list)


_IPV4 = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.1.2.3 168.63.129.16
169.254.169.254 169.254.170.2 169.254.42.42 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.192 192.0.2.1
192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
240.0.0.1 255.255.255.255
"""
_IPV6 = """
:: ::1 ::127.0.0.1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:7f00:1
64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:1ff::1 2001:db8::1 2002:7f00:1::
2002:808:808:: 3fff::1 5f00::1 4000::1 fc00::1 fd00:ec2::23 fd00:ec2::254 fe80::1 fec0::1 ff02::1
0:0:0:0:0:0:0:1 0:0:0:0:0:ffff:127.0.0.1
"""
_FORBIDDEN4, _FORBIDDEN6 = _IPV4.split(), _IPV6.split()
FORBIDDEN_ADDRESSES = [*_FORBIDDEN4, *_FORBIDDEN6]

_LITERALS = [
    *(f"https://{address}/hook" for address in _FORBIDDEN4),
    *(f"https://[{address}]/hook" for address in _FORBIDDEN6),
]

_SPELLINGS = [
    # One number, octal, hexadecimal, short, and mixtures of them.
    "https://2130706433/", "https://017700000001/", "https://0x7f000001/", "https://0x7F.0.0.1/", "https://0x7f.1/",
    "https://127.1/", "https://127.0.1/", "https://0177.0.0.1/", "https://0177.0.0.0x1/", "https://0/", "https://0x/",
    "https://00000177.0.0.1/", "https://127.0.0.01/", "https://127.0.0.1./", "https://127.0.0.256/",
    "https://127.0.0.1.1/", "https://1.2.3/", "https://3232235521/", "https://0xA9FEA9FE/", "https://a.b.0x7f/",
    "https://hooks.example.com.1/", "https://example.0x1/", "https://99999999999999999999/",
    # Characters that are the same as digits, dots and letters to libc's caller.
    "https://①②⑦.⓪.⓪.①/", "https://１２７.0.0.1/", "https://127。0。0。1/", "https://127．0．0．1/", "https://127｡0｡0｡1/",
    "https://٠.٠.٠.٠/", "https://0ₓ7f.1/", "https://ⓛocalhost/", "https://ＬＯＣＡＬＨＯＳＴ/", "https://¹²⁷.0.0.1/",
    # Percent signs.
    "https://%31%32%37.0.0.1/", "https://127.0.0.1%2f.example.com/", "https://127.0.0.1%00.example.com/",
    "https://127.0.0.1%23.example.com/", "https://ex%61mple.com/",
    # localhost itself.
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/",
]  # fmt: skip

_PARSER_TRICKS = [
    # Which of two is the host depends on who reads.
    "https://127.0.0.1\\@hooks.example.com/", "https://hooks.example.com\\@127.0.0.1/",
    "https://hooks.example.com\\.127.0.0.1/", "https://hooks.example.com@127.0.0.1/",
    "https://127.0.0.1@hooks.example.com/", "https://user:pw@hooks.example.com/", "https://@hooks.example.com/",
    "https://hooks.example.com:80@127.0.0.1/", "https://a@b@127.0.0.1/", "https://hooks.example.com:@127.0.0.1/",
    "https://127.0.0.1#@hooks.example.com/", "https://hooks.example.com#@127.0.0.1/", "https://hooks.example.com/#a",
    "https://hooks.example.com#", "https://127.0.0.1;hooks.example.com/", "https://127.0.0.1&@hooks.example.com#/",
    "https://127.0.0.1,hooks.example.com/", "https:\\\\127.0.0.1/", "https:/\\127.0.0.1/", "https:///127.0.0.1/",
    "https:/127.0.0.1/", "https:127.0.0.1/", "//127.0.0.1/", "https://", "https:///", "https://?a", "https://:443/", "",
    "https://[::1", "https://::1/", "https://[::1]]/", "https://[[::1]]/", "https://[::1]hooks.example.com/",
    "https://[127.0.0.1]/", "https://[hooks.example.com]/", "https://[v1.a]/", "https://[]/",
    # Zones of IPv6.
    "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[::1%25]/", "https://[2606:4700::1111%251]/",
    # What some parsers drop and others do not.
    "https://127.0.0.1\r\n/", "https://hooks.example.com/\r\nX-Injected: 1", "https://hooks.example.com\n.evil.com/",
    "https://127.0.\t0.1/", "ht\ttps://127.0.0.1/", "\thttps://hooks.example.com/", "https://hooks.example.com/ ",
    " https://hooks.example.com/", "https://hooks.example.com/a b", "https://hooks.example.com/\x00",
    "https://hooks.example.com\x7f/", "https://hooks\u2028.example.com/", "https://hooks.example.com/\ud800",
    "https://\udfffhooks.example.com/", "https://hooks\u3000example.com/", "https://℀.example.com/",
    "https://a\u2100b.example.com/", "https://example.com\uff0f127.0.0.1/", "https://example.com\uff1a80/",
    # Schemes.
    "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_", "javascript:alert(1)",
    "unix:///var/run/docker.sock", "httpss://hooks.example.com/", "hooks.example.com", "http+unix://%2Fsock/",
    "http://hooks.example.com/", "http://93.184.215.14/", "HTTP://hooks.example.com/", "ws://hooks.example.com/",
    # Ports.
    "https://hooks.example.com:22/", "https://hooks.example.com:25/", "https://hooks.example.com:0/",
    "https://hooks.example.com:65536/", "https://hooks.example.com:99999999999/", "https://hooks.example.com:-1/",
    "https://hooks.example.com:4a/", "https://hooks.example.com:/", "https://hooks.example.com:443:443/",
    "https://hooks.example.com:6379/", "https://hooks.example.com:5432/", "https://hooks.example.com:2375/",
    "https://hooks.example.com:11211/", "https://hooks.example.com:9200/", "https://hooks.example.com:٤٤٣/",
    "https://hooks.example.com:1023/", "https://hooks.example.com:+443/", "https://hooks.example.com:4_43/",
    # Hosts that are none.
    "https://.example.com/", "https://a..example.com/", "https://a.com../", "https://./", "https://*.example.com/",
    "https://a!b.com/", "https://" + "a" * 64 + ".com/", "https://" + "a." * 127 + "com/", "https://a" + "\u200d/",
    "https://hooks.example.com/" + "a" * 2048,
]  # fmt: skip

REFUSED_TEXTS = [*_LITERALS, *_SPELLINGS, *_PARSER_TRICKS]
"""URLs that are refused before any name is looked up."""

NAMED = [
    *(Named(url="https://hooks.example.com/hook", answers=[address]) for address in FORBIDDEN_ADDRESSES),
    Named(url="https://hooks.example.com/", answers=["93.184.215.14", "127.0.0.1"]),
    Named(url="https://hooks.example.com/", answers=["10.0.0.1", "93.184.215.14"]),
    Named(url="https://hooks.example.com/", answers=["93.184.215.14"] * 7 + ["169.254.169.254"]),
    Named(url="https://hooks.example.com/", answers=["2606:4700::1111", "::1"]),
    Named(url="https://hooks.example.com/", answers=["93.184.215.14", "::ffff:10.0.0.1"]),
    Named(url="https://hooks.example.com/", answers=["fe80::1%2"]),
    Named(url="https://metadata.google.internal/computeMetadata/v1/", answers=["169.254.169.254"]),
    Named(url="https://127.0.0.1.nip.io/", answers=["127.0.0.1"]),
    Named(url="https://redis/", answers=["172.18.0.2"]),
    Named(url="https://hooks.example.com./", answers=["192.168.1.1"]),
    Named(url="https://hooks.example.com:8443/", answers=["100.64.0.1"]),
    Named(url="https://bücher.example/", answers=["127.0.0.1"]),
    Named(url="https://nowhere.example.com/"),
]
"""Names that are in order and that are looked up to what is not."""

LEGITIMATE = [
    Named(url=url, answers=["93.184.215.14"])
    for url in (
        "https://hooks.example.com", "https://hooks.example.com/", "https://hooks.example.com/a/b.c?d=e&f=g%20h",
        "https://hooks.example.com:443/hook", "https://hooks.example.com:80/", "https://hooks.example.com:8443/hook",
        "https://hooks.example.com:1024/", "https://hooks.example.com:3000/", "https://hooks.example.com:65535/",
        "HTTPS://Hooks.Example.COM/Hook", "https://hooks.example.com?token=abc", "https://hooks.example.com./hook",
        "https://hooks.example.com//double", "https://hooks.example.com/../up", "https://hooks.example.com/@user/hook",
        "https://hooks.example.com/a:b;c,d=e!f*g'h(i)", "https://hooks.example.com/?u=https://127.0.0.1/",
        "https://hooks.example.com/" + "a" * 2000, "https://bücher.example/hook", "https://xn--bcher-kva.example/",
        "https://日本語.jp/フック?あ=い", "https://faß.de/", "https://a_b.example.com/", "https://4chan.example/",
        "https://1.example.com/", "https://a-1.b-2.example/", "https://discord.com/api/webhooks/1/a-b_c",
        "https://10.example.com/", "https://0x7f.example.com/", "https://127.0.0.1.example.com/", "https://receiver/",
        "https://hooks.example.com/{a}|b^c", "https://hooks.example.com/100%", "https://" + "a" * 63 + ".com/",
    )
] + [
    Named(url="https://hooks.example.com/", answers=["2606:4700::1111"]),
    Named(url="https://hooks.example.com/", answers=["2606:4700::1111", "93.184.215.14"]),
    Named(url="https://8.8.8.8/hook", answers=["8.8.8.8"]),
    Named(url="https://172.32.0.1/", answers=["172.32.0.1"]),
    Named(url="https://100.128.0.1:8443/", answers=["100.128.0.1"]),
    Named(url="https://[2606:4700::1111]/hook", answers=["2606:4700::1111"]),
    Named(url="https://[2606:4700:0:0:0:0:0:1111]:8443/", answers=["2606:4700::1111"]),
    Named(url="https://[::ffff:8.8.8.8]/", answers=["::ffff:808:808"]),
]  # fmt: skip
"""Receivers that may be called, and the addresses by which one of them is dialled first."""
