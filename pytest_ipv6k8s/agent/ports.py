"""The ports on which an agent serves, one on which nobody does, and what asks for a bare echo."""

HTTP_PORT = 8080
TCP_PORT = 8081
UDP_PORT = 8082
TCP_PORTS = (TCP_PORT, 8083, 8084)
SCTP_PORT = 8085
CLOSED_PORT = 9
ECHO = b"echo "
OWN_SOCKET = "\0ipv6k8s-agent"
"""Where the server answers in its own network namespace (unix(7), abstract)."""
