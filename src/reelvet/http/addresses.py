"""Which addresses on the net may be called on behalf of somebody else, and the list of exceptions to it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = IPv4Address | IPv6Address

# Public by the registry, and yet not on the public net.
_NOT_PUBLIC: dict[IPv4Network | IPv6Network, str] = {
    ip_network(
        "168.63.129.16/32"
    ): "a metadata address",  # Azure, https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    ip_network(
        "192.0.0.0/24"
    ): "reserved",  # Oracle keeps metadata in it; older Pythons know only parts of it as private
    ip_network("192.88.99.0/24"): "a 6to4 relay",  # RFC 7526
    ip_network("3fff::/20"): "reserved",  # documentation, RFC 9637; Python before 3.13 does not know it
}
_METADATA = frozenset({"168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254"})
_SHARED = ip_network("100.64.0.0/10")
_GLOBAL_IPV6 = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")


def refusal(address: Address) -> str | None:
    """Why an address may not be called, or `None` if it is a public one.

    Addresses that carry another within them are refused, since what is behind them is decided elsewhere, save for NAT64's
    well-known prefix: networks with IPv6 alone reach everything through it, and it is judged by the address within.
    """
    if isinstance(address, IPv6Address) and address in _NAT64:
        inner = refusal(IPv4Address(int(address) & 0xFFFFFFFF))
        return f"{inner} within NAT64" if inner else None
    checks = (
        (address.is_unspecified, "unspecified"),
        (address.is_loopback, "loopback"),
        (address.is_link_local, "link-local (where clouds keep their metadata)"),
        (address.is_multicast, "multicast"),
        (isinstance(address, IPv6Address) and address.ipv4_mapped is not None, "IPv4-mapped"),
        (isinstance(address, IPv6Address) and address.sixtofour is not None, "6to4"),
        (isinstance(address, IPv6Address) and address.teredo is not None, "Teredo"),
        (address in _SHARED, "shared by a carrier (CGNAT)"),
        (address.is_private, "private"),
        (address.is_reserved or not address.is_global, "reserved"),
        (isinstance(address, IPv6Address) and address not in _GLOBAL_IPV6, "reserved"),
    )
    special = next((why for network, why in _NOT_PUBLIC.items() if address in network), None)
    return next((why for holds, why in checks if holds), special)


def _by_address_only(address: Address) -> bool:
    # A name that is allowed and has come to point at the metadata service was not meant.
    return address.is_link_local or address.is_multicast or address.is_unspecified or str(address) in _METADATA


class AllowList:
    """The private places that may be fetched from, as `[fetch] allow` lists them.

    Args:
        entries: Each a host (`media.internal`, any port), a host with its port (`media.internal:8080`), an address or a
            range of addresses (`10.1.0.0/16`). A host allows whatever private address it has, but for link-local and
            metadata addresses: those have to be listed as addresses.

    Raises:
        ConfigurationError: An entry is none of these.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._networks: list[IPv4Network | IPv6Network] = []
        self._hosts: set[tuple[str, int | None]] = set()
        for entry in entries:
            self._add(entry.strip())

    def _add(self, entry: str) -> None:
        try:
            self._networks.append(ip_network(entry))
        except ValueError:
            pass
        else:
            return
        try:
            parts = urlsplit(f"//{entry}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.path or parts.query or parts.fragment or "@" in entry or "*" in entry:
            raise ConfigurationError(
                f"{entry!r} is no host, host:port, address or range",
                field="fetch.allow",
                way_out="Write for example `media.internal:8080` or `10.1.0.0/16`.",
            )
        self._hosts.add((host.rstrip("."), port))

    def names(self, host: str, port: int) -> bool:
        """Whether the host is listed, with that port or with none."""
        host = host.lower().rstrip(".")
        return (host, None) in self._hosts or (host, port) in self._hosts

    def refusal(self, host: str, port: int, address: Address) -> str | None:
        """Why that address of the host may not be called, or `None` if it may."""
        if any(address in network for network in self._networks):
            return None
        if self.names(host, port) and not _by_address_only(address):
            return None
        return refusal(address)

    def allows_port(self, host: str, port: int, addresses: Iterable[Address]) -> bool:
        """Whether the port may be called: that of the web, any that needs no privilege, and any of a listed place."""
        if port in {80, 443} or port >= 1024 or self.names(host, port):  # noqa: PLR2004
            return True
        return all(any(address in network for network in self._networks) for address in addresses)


def parse(text: str) -> Address | None:
    """The address that the text spells in its canonical form, or `None`."""
    try:
        return ip_address(text)
    except ValueError:
        return None
