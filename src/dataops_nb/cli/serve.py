"""`dataops-nb serve`: a look at the published pages, on this machine only."""

from __future__ import annotations

import sys
from argparse import Namespace

from dataops_nb.cli import folder, output
from dataops_nb.publish.serve import serving


def run(args: Namespace) -> int:
    """Print the address of the front page and serve it until interrupted."""
    with serving(folder.find(args).out, args.port or 0) as server:
        if args.json:
            output.document({"url": server.url})
        else:
            output.write(server.url)
        if not args.quiet:
            print("Only this machine can open it, and only with this address. Ctrl-C ends it.", file=sys.stderr)
        server.serve_forever()
    return 0
