"""What this process has looked at: the metrics it evaluated and the sources it loaded.

A report's notebook runs in a process of its own, so what was touched until its last cell is what the report is made of,
and a refresh can tell whether any of it has changed since.
"""

from __future__ import annotations

METRICS: set[str] = set()
SOURCES: set[str] = set()
