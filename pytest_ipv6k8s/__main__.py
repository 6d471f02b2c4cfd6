"""``python -m pytest_ipv6k8s``: the same as the command ``ipv6k8s``."""

import sys

from pytest_ipv6k8s.cli.main import main

sys.exit(main())
