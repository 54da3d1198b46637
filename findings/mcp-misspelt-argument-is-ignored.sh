#!/usr/bin/env bash
# MCP Python SDK: a tool of MCPServer answers a misspelt argument as if nobody had given it.
#
# One would guess: the tool's signature is its input schema, so an argument that it does not have is an error, as in Python;
#   the server checks arguments anyway, and refuses a value outside a Literal with the values that are allowed.
# What happens: `grian="day"` is dropped without a word, and the answer is the one for the default grain. The schema that
#   clients see has no additionalProperties: false, so no client refuses it either.
# Why it matters here: an assistant that misspells an argument would quote a weekly number as a daily one. The server of
#   `dataops-nb mcp` stands on the SDK's lower floor, which hands over arguments as they came.
# Seen with: mcp 2.3.0 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check mcp==2.3.0
cat > "$dir/see.py" <<'P'
import asyncio
from typing import Literal

from mcp.client import Client
from mcp.server import MCPServer

server = MCPServer("numbers")


@server.tool()
def value(grain: Literal["day", "week"] = "week") -> str:
    """Say the grain that was understood."""
    return grain


async def main():
    async with Client(server) as client:
        tool = (await client.list_tools()).tools[0]
        print("schema forbids others:", "additionalProperties" in tool.input_schema)
        for arguments in ({"grain": "day"}, {"grian": "day"}, {"grain": "dya"}):
            answer = await client.call_tool("value", arguments)
            print(arguments, "error" if answer.is_error else answer.content[0].text)


asyncio.run(main())
P
"$dir/v/bin/python" "$dir/see.py" > "$dir/seen" 2> "$dir/log"
cat > "$dir/expected" <<'E'
schema forbids others: False
{'grain': 'day'} day
{'grian': 'day'} week
{'grain': 'dya'} error
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
