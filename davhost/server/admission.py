"""How many connections are open, in all and of each address."""

import ipaddress
import threading
from collections import Counter

_IPV6_NETWORK_BITS = 64


def client_network(address: str) -> str:
    """Return what counts as one client: an IPv4 address or an IPv6 /64.

    A single household or server is given a whole /64, so counting IPv6
    addresses one by one would count nothing.
    """
    if ":" not in address:
        return address
    number = int(ipaddress.IPv6Address(address.partition("%")[0]))
    return f"{number >> (128 - _IPV6_NETWORK_BITS):x}::/64"


def unmap(address: str) -> str:
    """Write an IPv4 address that a dual-stack socket shows as IPv6 as IPv4."""
    return address.removeprefix("::ffff:") if "." in address else address


class Admission:
    """Counts open connections; thread-safe."""

    def __init__(self, total_max: int, per_address_max: int) -> None:
        """Set the limits; *per_address_max* 0 means none."""
        self._total_max = total_max
        self._per_address_max = per_address_max
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.total = 0

    @property
    def is_full(self) -> bool:
        """Tell if no further connection should be accepted."""
        return self.total >= self._total_max

    def enter(self, address: str) -> bool:
        """Count a connection; False if its address has too many already."""
        network = client_network(address)
        with self._lock:
            if 0 < self._per_address_max <= self._counts[network]:
                return False
            self._counts[network] += 1
            self.total += 1
            return True

    def leave(self, address: str) -> None:
        """Take back one ``enter``."""
        network = client_network(address)
        with self._lock:
            self.total -= 1
            self._counts[network] -= 1
            if not self._counts[network]:
                del self._counts[network]
