"""The ports on which an agent serves, one on which nobody does, and how its UDP port is asked."""

HTTP_PORT = 8080
TCP_PORT = 8081
UDP_PORT = 8082
TCP_PORTS = (TCP_PORT, 8083, 8084)
SCTP_PORT = 8085
CLOSED_PORT = 9
ECHO, SIZE = b"echo ", b"size "
"""What begins a datagram that asks for a bare echo, or for a reply of a size."""
COOKIE, PADDING, ROOM = 16, b" ", 512
"""Who wants more than he sends shows a cookie of so many digits; padding makes room for a reply."""
OWN_SOCKET = "\0ipv6k8s-agent"
"""Where the server answers in its own network namespace (unix(7), abstract)."""
