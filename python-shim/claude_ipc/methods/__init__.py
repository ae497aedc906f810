"""The methods of `claude_ipc.Client`, one file a family.

`Client` inherits the families, and `AsyncClient` makes coroutine functions of their methods, so that each is
described once: where it stands.
"""
