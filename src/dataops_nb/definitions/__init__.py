"""The company's files under params/: read strictly, checked against each other, every mistake reported at once."""

from __future__ import annotations

from dataops_nb.definitions.models import Definitions

__all__ = ["Definitions"]
