"""`python -m dataops_nb`, for a Python whose scripts are not on the PATH."""

from __future__ import annotations

import sys

from dataops_nb.cli import main

sys.exit(main())
