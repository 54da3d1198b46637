"""A GitHub workflow for a workbench that is a repository: it refreshes, keeps what it remembers, and offers the pages."""

from __future__ import annotations

import json
import shlex

from dataops_nb.refresh.schedules.moment import Plan

TEXT = """\
# .github/workflows/{name}.yml
# GitHub counts in UTC: {utc} is never before 06:00 in {timezone}, in summer and in winter.
name: {title}
on:
  schedule:
    - cron: "{utc}"
  workflow_dispatch: {{}}
concurrency:
  group: {name}
  cancel-in-progress: false
permissions:
  contents: read
jobs:
  refresh:
    runs-on: ubuntu-latest
    timeout-minutes: 120
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - name: What was published before
        uses: actions/cache@v4
        with:
          path: out
          key: {name}-${{{{ github.run_id }}}}
          restore-keys: {name}-
      - run: python -m pip install dataops-nb
      - run: |
          dataops-nb refresh {suite} --due
      - name: The pages
        if: always()
        uses: actions/upload-artifact@v4
        with:
          name: pages
          path: |
            out
            !out/runs
            !out/history
            !out/ledger.sqlite*
          if-no-files-found: error
"""


def files(plan: Plan) -> dict[str, str]:
    """The workflow file; secrets of sources are added to its step as `env:`."""
    said = {"name": plan.name, "utc": plan.utc, "timezone": plan.timezone, "title": json.dumps(f"Refresh {plan.suite}")}
    return {f".github/workflows/{plan.name}.yml": TEXT.format(**said, suite=_argument(plan.suite))}


def _argument(word: str) -> str:
    """A word of a shell command."""
    return shlex.quote(word)
