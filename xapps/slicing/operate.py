"""`python -m xapps.slicing model|load|rollback`: see a running xApp's models, give it one, go back to the former.

Each prints the xApp's answer as one line of JSON.
"""

import argparse
import asyncio
import json
import sys

from oran.rest_client import RestClient, RestError

COMMANDS = ("model", "load", "rollback")
TIMEOUT_S = 120.0
"""A large model takes its time to be read and tried."""


def main(arguments: list[str]) -> int:
    """Carry out a command; 0 when it was, 1 where the xApp refused, 2 where it could not be asked."""
    options = _parser().parse_args(arguments)
    request = {
        "model": ("GET", "/model", None),
        "load": ("POST", "/model", getattr(options, "folder", None)),
        "rollback": ("POST", "/model/rollback", None),
    }[options.command]
    try:
        answer = asyncio.run(_ask(options.url, *request))
    except (RestError, ValueError) as error:
        print(f"xapps.slicing: {error}", file=sys.stderr)
        return 2
    if not answer[0]:
        print(f"xapps.slicing: {answer[1]}", file=sys.stderr)
        return 1
    print(answer[1])
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m xapps.slicing", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    for name, text in (
        ("model", "tell the models in memory and what became of the last candidate"),
        ("load", "verify a model package and let it shadow the running model"),
        ("rollback", "let the model before decide again"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--url", default="http://127.0.0.1:8080", help="the xApp's HTTP address")
        if name == "load":
            command.add_argument("folder", metavar="DIR", help="folder on the xApp's machine")
    return made


async def _ask(url: str, method: str, path: str, folder: str | None) -> tuple[bool, str]:
    """Whether the xApp did it, and its answer or its reason."""
    client = RestClient(url, timeout_s=TIMEOUT_S)
    try:
        answer = await client.request(method, path, None if folder is None else {"folder": folder})
    finally:
        await client.close()
    return (True, json.dumps(answer.body)) if answer.ok else (False, answer.reason)
