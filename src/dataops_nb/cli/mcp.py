"""Run `dataops-nb mcp`: answer an assistant's questions over the Model Context Protocol.

The server reads and writes its protocol on stdin and stdout, for one workbench. Its tools are those
of `cli.tools`. They only read, and a host is told so. `--print-config` prints what a host's
settings need to start it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from dataops_nb import __version__, cli
from dataops_nb.cli.tools import MOST_ROWS, TOOLS, Desk, Tool, refusal
from dataops_nb.errors import DataopsError, UsageError
from dataops_nb.terms import GRAINS
from dataops_nb.workbench import Workbench

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

INSTALL = "pip install 'dataops-nb[mcp]'"
INSTRUCTIONS = (
    "Answers about one company's metrics and their agreed lights. Every answer says "
    "which day it is as of and how far the data reach. `unknown` with its reason, and a value of "
    "null, are answers: do not fill them in. Quote `sentences` as they are; their numbers were "
    "checked. Begin with list_metrics."
)
DAY = {"type": ["string", "null"], "format": "date"}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "metric": {"type": "string", "description": "The metric's id, from list_metrics."},
    "as_of": {
        **DAY,
        "description": "Rows after this day do not exist, as 2026-11-22; default today.",
    },
    "grain": {
        "type": ["string", "null"],
        "enum": [*GRAINS, None],
        "description": "How long a period is; default week.",
    },
    "from": {**DAY, "description": "The first day, as 2026-01-01."},
    "to": {**DAY, "description": "The last day, as 2026-03-31."},
    "by": {
        "type": ["string", "array", "null"],
        "items": {"type": "string"},
        "description": "A dimension of the metric to split by, or several to cross.",
    },
    "against": {
        "type": ["string", "null"],
        "description": "What it is compared with: previous, last-year, or a period as 2026-W40.",
    },
}
CALLED = {"type": "string", "description": "The metric's id, or its label."}
ANSWER = {
    "type": "object",
    "properties": {
        "rows": {
            "type": "array",
            "items": {"type": "object"},
            "description": f"As the command's --json gives them, at most {MOST_ROWS}.",
        },
        "as_of": {"type": "string", "description": "The last day that counts."},
        "data_to": {
            "type": ["string", "null"],
            "description": "The day up to which all data behind the answer reach.",
        },
        "sentences": {"type": "array", "items": {"type": "string"}},
        "sources": {"type": "array", "items": {"type": "object"}},
        "truncated": {"type": "boolean", "description": "Whether there are more rows."},
    },
    "required": ["rows", "as_of", "data_to", "sentences", "sources", "truncated"],
    "additionalProperties": False,
}


def run_mcp(args: Namespace) -> int:
    """Serve until the host closes stdin; with --print-config, print the host's settings."""
    bench = cli.find(args)
    if args.print_config:
        cli.write(json.dumps(host_settings(args, bench), indent=2, ensure_ascii=False))
        return 0
    _require_package()
    if not args.quiet:
        print(f"dataops-nb: answering for {bench.root} on stdin and stdout", file=sys.stderr)
    desk = Desk(lambda: cli.find(args))
    try:
        asyncio.run(_serve(make_server(desk)))
    finally:
        desk.close()
    return 0


def host_settings(args: Namespace, bench: Workbench) -> dict[str, Any]:
    """Return the entry of a host's settings.

    Hosts start it in a folder of their own, without the variables of this shell.
    """
    words = ["-m", "dataops_nb", "-w", str(bench.root)]
    if args.data is not None or os.environ.get("DATAOPS_DATA"):
        words += ["--data", str(bench.data)]
    if args.out is not None or os.environ.get("DATAOPS_OUT"):
        words += ["--out", str(bench.out)]
    name = f"dataops-nb-{bench.root.name}"
    return {"mcpServers": {name: {"command": sys.executable, "args": [*words, "mcp"]}}}


def make_server(desk: Desk) -> Server[Any]:
    """Return the server of a desk, ready to be run on a transport.

    Raises UsageError where the package of the protocol is not installed.
    """
    _require_package()
    # the optional package of this verb
    import mcp_types as types  # noqa: PLC0415
    from mcp.server.lowlevel import Server  # noqa: PLC0415

    # One thread asks all questions: connections to databases belong to the thread they began in.
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk")

    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_describe(types, tool) for tool in TOOLS.values()])

    async def call_tool(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        loop = asyncio.get_running_loop()
        arguments = params.arguments or {}
        try:
            answer = await loop.run_in_executor(thread, desk.answer, params.name, arguments)
        except Exception as error:
            refused: types.CallToolResult = _refused(types, error)
            return refused
        text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
        return types.CallToolResult(content=[_text(types, text)], structured_content=answer)

    return Server(
        "dataops-nb",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def checked() -> str:
    """Say that the server answers here, after asking it for its tools.

    Raises UsageError where the package of the protocol is not installed.
    """
    _require_package()
    return f"mcp {version('mcp')}: {asyncio.run(_count_tools())} tools answer"


async def _count_tools() -> int:
    from mcp.client import Client  # noqa: PLC0415  the optional package of this verb

    def find() -> Workbench:
        raise UsageError("nothing is asked of a workbench here")

    async with Client(make_server(Desk(find))) as client:
        listed = await client.list_tools()
    return len(listed.tools)


async def _serve(server: Server[Any]) -> None:
    from mcp.server.stdio import stdio_server  # noqa: PLC0415  the optional package of this verb

    async with stdio_server() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())


def _require_package() -> None:
    """Raise UsageError, with the command that helps, where the package is not installed."""
    try:
        import mcp_types  # noqa: F401, PLC0415
        from mcp.server import lowlevel  # noqa: F401, PLC0415
    except ImportError as error:
        raise UsageError(f"the Model Context Protocol is an extra: {INSTALL}") from error


def _describe(types: Any, tool: Tool) -> Any:
    """Return a tool as the protocol lists it: read-only, and strict about its arguments."""
    properties = {name: ARGUMENTS[name] for name in tool.arguments}
    required = []
    if "metric" in properties:
        required.append("metric")
    if tool.name == "ask":
        properties["metric"] = CALLED
    return types.Tool(
        name=tool.name,
        description=tool.text,
        input_schema={
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        output_schema=ANSWER,
        annotations=types.ToolAnnotations(
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )


def _text(types: Any, text: str) -> Any:
    return types.TextContent(type="text", text=text)


def _refused(types: Any, error: Exception) -> Any:
    """Return an error as an answer that whoever asked can act on."""
    if isinstance(error, DataopsError):
        message = refusal(error)
    else:
        message = f"bug in dataops-nb: {type(error).__name__}: {error}"
    return types.CallToolResult(content=[_text(types, message)], is_error=True)
