"""Address families, stacks, and how addresses are classified and printed."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Family(enum.Enum):
    """An address family, by the name that the Kubernetes API gives it."""

    V4 = "IPv4"
    V6 = "IPv6"

    @classmethod
    def of(cls, address: str | Address | Network) -> Family:
        """Return the family of an address or a CIDR.

        Raises:
            ValueError: the text is neither.
        """
        if isinstance(address, str):
            address = ipaddress.ip_network(address.split("%")[0], strict=False)
        return cls.V4 if address.version == 4 else cls.V6

    @property
    def other(self) -> Family:
        """The other of the two families."""
        return Family.V6 if self is Family.V4 else Family.V4

    @property
    def record_type(self) -> str:
        """The DNS record type that holds such an address."""
        return "A" if self is Family.V4 else "AAAA"

    @property
    def any_address(self) -> str:
        """The unspecified address."""
        return "0.0.0.0" if self is Family.V4 else "::"

    @property
    def loopback(self) -> str:
        """The loopback address."""
        return "127.0.0.1" if self is Family.V4 else "::1"


class Stack(enum.Enum):
    """Which families a cluster has, the first one first (KEP-563)."""

    IPV6 = "ipv6"
    IPV4 = "ipv4"
    DUAL = "dual"
    DUAL_IPV6 = "dual-ipv6"

    @property
    def families(self) -> tuple[Family, ...]:
        """The families, primary first."""
        return _FAMILIES[self]

    @property
    def primary(self) -> Family:
        """The family that a Service gets when it asks for none."""
        return self.families[0]

    @property
    def is_dual(self) -> bool:
        """Whether both families are there."""
        return len(self.families) == 2

    @classmethod
    def from_families(cls, families: Iterable[Family]) -> Stack:
        """Return the stack that has just these families in this order.

        Raises:
            ValueError: there is none.
        """
        wanted = tuple(families)
        for stack, has in _FAMILIES.items():
            if has == wanted:
                return stack
        raise ValueError(f"no stack has the families {[family.value for family in wanted]}")


class Egress(enum.Enum):
    """How a pod's packets look to a peer outside."""

    NATIVE = "native"
    MASQUERADE = "masquerade"
    NPTV6 = "nptv6"
    GATEWAY = "gateway"
    NONE = "none"


_FAMILIES = {
    Stack.IPV6: (Family.V6,),
    Stack.IPV4: (Family.V4,),
    Stack.DUAL: (Family.V4, Family.V6),
    Stack.DUAL_IPV6: (Family.V6, Family.V4),
}


def is_canonical(text: str) -> bool:
    """Tell whether an address or CIDR is written as RFC 5952 section 4 wants it."""
    address, slash, length = text.partition("/")
    try:
        parsed = ipaddress.ip_address(address)
        whole = ipaddress.ip_interface(text) if slash else None
    except ValueError:
        return False
    return _text(parsed) == address and (whole is None or str(whole.network.prefixlen) == length)


def _text(parsed: Address) -> str:
    """Return the canonical text; mapped addresses end in dotted form (RFC 5952 section 5)."""
    mapped = getattr(parsed, "ipv4_mapped", None)
    return f"::ffff:{mapped}" if mapped else str(parsed)


def same_address(one: str, other: str) -> bool:
    """Compare two addresses by value; an IPv4-mapped IPv6 address equals its IPv4 address."""
    return _unmapped(one) == _unmapped(other)


def _unmapped(text: str) -> Address:
    address = ipaddress.ip_address(text.split("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def in_any(address: str, cidrs: Iterable[str]) -> bool:
    """Tell whether an address lies in one of the CIDRs; another family never matches."""
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)


def overlaps(cidrs: Sequence[str]) -> list[tuple[str, str]]:
    """Return every pair of CIDRs of one family that share an address."""
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]
    by_start = sorted(range(len(cidrs)), key=lambda i: int(networks[i].network_address))
    found: list[tuple[int, int]] = []
    for version in (4, 6):
        reaching: list[int] = []  # those that begin before and do not end before
        for index in (i for i in by_start if networks[i].version == version):
            start = int(networks[index].network_address)
            reaching = [i for i in reaching if int(networks[i].broadcast_address) >= start]
            found += [(min(i, index), max(i, index)) for i in reaching]
            reaching.append(index)
    return [(cidrs[one], cidrs[other]) for one, other in sorted(found)]


def families_of(addresses: Iterable[str]) -> tuple[Family, ...]:
    """Return the families of addresses or CIDRs, each once, in the order in which they come."""
    return tuple(dict.fromkeys(Family.of(address) for address in addresses))


def first_of_each_family(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the first address, and the first of the other family."""
    found: dict[Family, str] = {}
    for address in addresses:
        found.setdefault(Family.of(address), address)
    return tuple(found.values())


def names(families: Iterable[Family]) -> str:
    """Return the names of families in words."""
    return " and ".join(family.value for family in families)


def is_address(text: str) -> bool:
    """Tell whether a text is an address, written in whatever form."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_KINDS = {
    "mapped": ("::ffff:0:0/96",),
    "nat64": ("64:ff9b::/96", "64:ff9b:1::/48"),
    "documentation": (
        *("2001:db8::/32", "3fff::/20"),
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),
    ),
    "ula": ("fc00::/7",),
    "link-local": ("fe80::/10", "169.254.0.0/16"),
    "site-local": ("fec0::/10",),
    "multicast": ("ff00::/8", "224.0.0.0/4"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "shared": ("100.64.0.0/10",),
    "gua": ("2000::/3",),
}


def kind_of(address: Address) -> str:
    """Return the class of an address in one word, such as ``ula``; ``other`` when it has none.

    The table is our own: ``ipaddress`` calls documentation addresses private (RFC 6890).
    """
    if address.is_unspecified:
        return "unspecified"
    if address.is_loopback:
        return "loopback"
    for kind, cidrs in _KINDS.items():
        if any(address in ipaddress.ip_network(cidr) for cidr in cidrs):
            return kind
    return "public" if address.version == 4 else "other"


def endpoint(address: str, port: int | None = None) -> str:
    """Print an address for people and URLs: IPv6 in brackets (RFC 3986 section 3.2.2)."""
    host = f"[{address}]" if ":" in address else address
    return host if port is None else f"{host}:{port}"


def reverse_name(address: str) -> str:
    """Return the name under in-addr.arpa or ip6.arpa (RFC 3596 section 2.5), with a final dot."""
    return ipaddress.ip_address(address).reverse_pointer + "."


_NAT64_LENGTHS = (32, 40, 48, 56, 64, 96)
_U_OCTET = 8


def embed(prefix: str, address: str) -> str:
    """Return the IPv6 address that stands for an IPv4 address (RFC 6052 section 2.2).

    Raises:
        ValueError: the prefix has an illegal length or a u-octet that is not zero.
    """
    problem = nat64_prefix_problem(prefix)
    if problem:
        raise ValueError(problem)
    network = ipaddress.IPv6Network(prefix)
    octets = bytearray(network.network_address.packed)
    for place, octet in zip(_places(network.prefixlen), _packed(address), strict=True):
        octets[place] = octet
    return str(ipaddress.IPv6Address(bytes(octets)))


def extract(address: str, length: int) -> str:
    """Return the IPv4 address inside an IPv6 address, for a prefix of this length.

    Raises:
        ValueError: the length is illegal.
    """
    if length not in _NAT64_LENGTHS:
        raise ValueError(f"/{length} is no length of a NAT64 prefix (RFC 6052 section 2.2)")
    packed = ipaddress.IPv6Address(address).packed
    return str(ipaddress.IPv4Address(bytes(packed[place] for place in _places(length))))


def nat64_prefix_problem(prefix: str) -> str:
    """Say why a text is no NAT64 prefix (RFC 6052 section 2.2); empty when it is one."""
    try:
        network = ipaddress.IPv6Network(prefix)
    except ValueError:
        return f"{prefix!r} is no IPv6 prefix"
    if network.prefixlen not in _NAT64_LENGTHS:
        return f"{prefix} has an illegal length: RFC 6052 allows /32, /40, /48, /56, /64 and /96"
    if network.network_address.packed[_U_OCTET]:
        return f"{prefix} has a u-octet (bits 64 to 71) that is not zero"
    return ""


WELL_KNOWN_NAME = "ipv4only.arpa."
"""The name whose synthesised records tell the NAT64 prefix (RFC 7050 section 3)."""
WELL_KNOWN_ADDRESSES = ("192.0.0.170", "192.0.0.171")
"""Its IPv4 addresses (RFC 7050 section 2.2)."""


def nat64_prefixes(address: str, inside: str) -> list[str]:
    """Return every legal prefix with which an address stands for an IPv4 one (RFC 7050)."""
    found = []
    for length in _NAT64_LENGTHS:
        prefix = str(ipaddress.ip_network(f"{address}/{length}", strict=False))
        same = extract(address, length) == inside and not nat64_prefix_problem(prefix)
        if same and same_address(embed(prefix, inside), address):
            found.append(prefix)
    return found


def _places(length: int) -> list[int]:
    """Return where the four octets stand: behind the prefix, around the u-octet."""
    first = length // 8
    return [place for place in range(first, first + 5) if place != _U_OCTET][:4]


def _packed(address: str) -> bytes:
    return ipaddress.IPv4Address(address).packed
