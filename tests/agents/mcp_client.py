"""Runs in the virtual environment of the Python package `mcp`: one session with a server, as JSON.

Usage: mcp_client.py MODE CALLS COMMAND..., where CALLS is a JSON list of [tool, arguments].
"""

import asyncio
import json
import os
import sys

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client


async def main(mode: str, calls: list[tuple[str, dict]], command: str, *words: str) -> None:
    server = StdioServerParameters(command=command, args=list(words), env=dict(os.environ))
    async with Client(stdio_client(server), mode=mode) as client:
        said = {
            "protocol": client.protocol_version,
            "instructions": client.instructions,
            "tools": [tool.name for tool in (await client.list_tools()).tools],
            "resources": [str(item.uri) for item in (await client.list_resources()).resources],
            "prompts": [prompt.name for prompt in (await client.list_prompts()).prompts],
            "results": [],
        }
        for tool, arguments in calls:
            result = await client.call_tool(tool, arguments)
            said["results"].append(result.model_dump(mode="json", by_alias=True))
    print(json.dumps(said))


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), *sys.argv[3:]))
