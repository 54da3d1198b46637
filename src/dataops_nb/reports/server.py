"""Preview the published pages on this machine, and on no other.

The server listens on 127.0.0.1 only. A request must use one of this machine's own names and the
token of this start, and it may only look. Pages are served sandboxed, apart from JupyterLab's
origin; runs, history and the ledger are not there at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dataops_nb.errors import PublishError
from dataops_nb.reports.pages import POLICY
from dataops_nb.reports.site import TYPES, may_be_seen

HOST = "127.0.0.1"
HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'; sandbox allow-downloads",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Server(ThreadingHTTPServer):
    """The pages under one folder, behind one token."""

    daemon_threads = True

    def __init__(self, root: Path, port: int) -> None:
        self.root = root.resolve()
        self.token = secrets.token_urlsafe(24)
        super().__init__((HOST, port), Handler)

    @property
    def url(self) -> str:
        """The address of the front page."""
        return f"http://{HOST}:{self.server_port}/{self.token}/index.html"

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which a browser on this machine may ask.

        A request under any other name comes from somebody else's page.
        """
        return frozenset({f"{HOST}:{self.server_port}", f"localhost:{self.server_port}"})

    def find(self, path: str) -> Path | None:
        """Return the published file behind the path of an address; None where there is none."""
        token, _, rest = unquote(urlsplit(path).path).lstrip("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return None
        try:
            file = (self.root / (rest or "index.html")).resolve()
            is_public = may_be_seen(file, self.root)
        except (OSError, ValueError):  # no name of a file
            return None
        return file if is_public else None


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; every other method is refused."""

    server: Server
    server_version, sys_version = "dataops-nb", ""

    def do_GET(self) -> None:
        """Send a page."""
        self._send(body=True)

    def do_HEAD(self) -> None:
        """Send the headers of a page."""
        self._send(body=False)

    def __getattr__(self, name: str) -> object:
        """Refuse POST and all others, whatever they are called."""
        if name.startswith("do_"):
            return self._refuse_method
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's
        """Log nothing: the address holds the token."""

    def _refuse_method(self) -> None:
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})

    def _send(self, *, body: bool) -> None:
        if self.headers.get("Host") not in self.server.hosts:
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, {})
            return
        file = self.server.find(self.path)
        if file is None:
            self._answer(HTTPStatus.NOT_FOUND, {})
            return
        content = file.read_bytes()
        self._answer(HTTPStatus.OK, {"Content-Type": TYPES[file.suffix]}, content, body=body)

    def _answer(
        self, status: HTTPStatus, more: dict[str, str], content: bytes = b"", *, body: bool = True
    ) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, **more, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)


@contextmanager
def serving(root: Path, port: int = 0) -> Iterator[Server]:
    """Serve the pages under `root`; port 0 takes a free one.

    PublishError where the port is taken or there are no pages.
    """
    if not (root / "index.html").is_file():
        raise PublishError("no pages yet: run  dataops-nb refresh")
    try:
        server = Server(root, port)
    except OSError as error:
        raise PublishError(f"port {port} cannot be used: {error.strerror or error}") from error
    with server:
        yield server
