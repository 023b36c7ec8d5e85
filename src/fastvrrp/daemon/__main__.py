"""`python -m fastvrrp.daemon` is `fastvrrpd`."""

import sys

from fastvrrp.daemon.cli import main

sys.exit(main())
