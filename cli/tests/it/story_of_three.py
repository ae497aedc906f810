# The third agent: each line that it is told is an expression of Python, in which `me` is its mailbox. It
# answers each with one line of JSON.
import dataclasses
import json
import sys

from claude_ipc import Client, errors


def plain(value):
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(type(value).__name__)


with Client() as me:
    me.register(sys.argv[1])
    for line in sys.stdin:
        try:
            told = eval(line, {"me": me})
        except errors.Refused as error:
            told = {"refused": error.code}
        print(json.dumps(told, default=plain), flush=True)
