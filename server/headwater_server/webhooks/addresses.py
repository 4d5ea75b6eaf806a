"""Which addresses a webhook may lead to: those that everybody can reach, and hosts that the settings name. Pure."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
_GLOBAL = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_INSIDE = frozenset({ipaddress.ip_address("168.63.129.16")})
"""Public by their numbers, but answered by the machine's own cloud."""


def is_public(address: str) -> bool:
    """Whether it is neither this machine's nor its network's, multicast, a cloud's metadata or reserved; of an IPv6
    address that stands for an IPv4 one, whether that is not.
    """
    try:
        ip = _meant(ipaddress.ip_address(address))
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        return ip in _GLOBAL and ip.is_global
    return ip.is_global and not ip.is_multicast and ip not in _INSIDE


def _meant(ip: _Ip) -> _Ip:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    inner = ip.ipv4_mapped or ip.sixtofour
    if inner is None and (ip in _NAT64 or ip in _COMPATIBLE):
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return inner or ip


def is_odd_number(host: str) -> bool:
    """A number that some take for an address and others for another (`127.1`, `0177.0.0.1`, `2130706433`)."""
    last = host.rstrip(".").rpartition(".")[2]
    if not last.isdigit() and not last.startswith("0x"):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


class Opened:
    """Hosts to which the rules do not apply: `hooks.internal`, `127.0.0.1:9000`, `[::1]`, `*.svc.local`."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = [_read(entry) for entry in entries]

    def has(self, host: str, port: int) -> bool:
        return any(
            (host.endswith(name[1:]) if name.startswith("*.") else host == name) and wanted in (None, port)
            for name, wanted in self._entries
        )


def _read(entry: str) -> tuple[str, int | None]:
    """Raises ValueError."""
    parts = urlsplit(f"//{entry}")
    if not parts.hostname or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("names of hosts, like hooks.internal,127.0.0.1:9000,[::1],*.svc.local")
    return parts.hostname, parts.port
