"""Print a page as PDF with the Chromium, Chrome or Edge that this machine has.

The page is the published one, on A4, with how it was computed unfolded, and without its links,
which would name folders of this machine. The browser gets a private home, no network, and a
minute; the page itself forbids scripts. Whatever the browser started is ended with it. One page
gives the same bytes each time on one machine: the day in the file is the report's as-of.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from dataops_nb.errors import PublishError
from dataops_nb.reports import processes

NAMED = "DATAOPS_CHROMIUM"
NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
    "microsoft-edge", "msedge",
)  # fmt: skip
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
FLAGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--no-default-browser-check", "--disable-sync", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-extensions",
    "--disable-dev-shm-usage", "--no-pdf-header-footer", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--user-agent=dataops-nb",
)  # fmt: skip
SEEN = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "SYSTEMROOT",
    "WINDIR",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
    "LD_LIBRARY_PATH",
)
PAPER_LONGEST = 60.0
HOME = "dataops-nb-print-"
SHEET = """<style>
@page { size: A4; margin: 15mm 14mm 16mm; }
section { break-inside: auto; }
li, p, figure, svg, tr, .nb-how, .nb-headline, .nb-warnings, footer dl { break-inside: avoid; }
caption, thead, summary { break-after: avoid; }
tbody tr:first-child { break-before: avoid; }
summary { list-style: none; }
</style>"""
_DATES = re.compile(rb"/(CreationDate|ModDate) \(D:\d{14}\+00'00'\)")
# start a program that is killed when this process dies
_TIED = (
    "import ctypes,os,sys; ctypes.CDLL(None).prctl(1, 9, 0, 0, 0);"
    " os.execv(sys.argv[1], sys.argv[1:])"
)


def browser() -> str:
    """Return the program that prints; PublishError says what to install if there is none."""
    named = os.environ.get(NAMED)
    if named:
        program = shutil.which(named)
        if program is None:
            raise PublishError(f"{NAMED} points to {named!r}, which is not a program")
        return program
    for name in (*NAMES, *ELSEWHERE):
        program = shutil.which(name)
        if program is not None:
            return program
    raise PublishError(
        "PDF needs Chromium, Chrome or Edge: install one (on Debian and Ubuntu: "
        f"apt-get install chromium), or set {NAMED}"
    )


def prints(pages: Mapping[str, bytes], day: dt.date) -> dict[str, bytes]:
    """Print each page among the files of a report as PDF, by file name.

    PublishError where one cannot be printed.
    """
    program = browser()
    _sweep()
    pdfs = {}
    with tempfile.TemporaryDirectory(prefix=f"{HOME}{os.getpid()}-") as home:
        for name, page in pages.items():
            if name.endswith(".html"):
                pdf = _print(program, name, page.decode(), Path(home))
                pdfs[name.removesuffix(".html") + ".pdf"] = _dated(pdf, day)
    return pdfs


def _sweep() -> None:
    """Remove homes that killed processes have left, where the system says which are dead."""
    if sys.platform != "linux":
        return
    for home in Path(tempfile.gettempdir()).glob(f"{HOME}*-*"):
        owner = home.name.removeprefix(HOME).partition("-")[0]
        if owner.isdigit() and not processes.started(int(owner)):
            shutil.rmtree(home, ignore_errors=True)


def sheet(page: str) -> str:
    """Prepare a page for the printer: on A4, unfolded, without links."""
    unlinked = re.sub(r'(<a\b[^>]*?) href="[^"]*"', r"\1", page)
    unfolded = re.sub(r'<details(?![^>]* open)(?=[^>]*class="nb-how")', "<details open", unlinked)
    return unfolded.replace("</head>", f"{SHEET}\n</head>", 1)


def _print(program: str, name: str, page: str, home: Path) -> bytes:
    source, target = home / name, home / "printed.pdf"
    source.write_text(sheet(page), encoding="utf-8")
    target.unlink(missing_ok=True)
    outcome = _run(
        [program, *_flags(home), f"--print-to-pdf={target}", source.as_uri()], home, name
    )
    content = target.read_bytes() if target.exists() else b""
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-32:]:
        raise PublishError(f"can't print {name}: {Path(program).name} {outcome}")
    return content


def _flags(home: Path) -> Iterator[str]:
    yield from FLAGS
    yield f"--user-data-dir={home / 'profile'}"
    # as root it has no sandbox, and refuses to start with one
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield "--no-sandbox"


def _run(command: list[str], home: Path, name: str) -> str:
    """Run the browser to its end, and return how it ended.

    Whatever it started is ended with it, also when this process dies.
    """
    tied = [sys.executable, "-I", "-S", "-c", _TIED] if sys.platform == "linux" else []
    seen = {key: os.environ[key] for key in SEEN if key in os.environ}
    with (home / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [*tied, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**seen, "HOME": str(home), "TMPDIR": str(home)},
            cwd=home,
            start_new_session=True,
        )
        try:
            code = _await(process)
        finally:
            processes.end(process, grace=1.0)
    if code is None:
        raise PublishError(
            f"can't print {name}: {Path(command[0]).name} took more than {PAPER_LONGEST:g} s"
        )
    log_text = (home / "log.txt").read_text(encoding="utf-8", errors="replace")
    outcome = f"ended with {code}"
    if log_text.strip():
        outcome += f": {log_text.strip().splitlines()[-1][:200]}"
    return outcome


def _await(process: subprocess.Popen[bytes]) -> int | None:
    deadline = time.monotonic() + PAPER_LONGEST
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return process.poll()


def _dated(pdf: bytes, day: dt.date) -> bytes:
    """Date a PDF to `day`; it keeps its length, because it points into itself by position."""
    stamp = f"{day:%Y%m%d}000000+00'00'".encode()
    return _DATES.sub(lambda hit: b"/" + hit[1] + b" (D:" + stamp + b")", pdf)
