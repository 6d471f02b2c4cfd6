"""Making and finding clusters."""
