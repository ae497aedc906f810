#!/usr/bin/env python3
"""The drop-in script of version 2; see claude_ipc/scripts.py. Uses the package beside it, if it is there."""

import os
import sys

_TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if os.path.isfile(os.path.join(_TREE, "claude_ipc", "scripts.py")):
    sys.path.insert(0, _TREE)

from claude_ipc import scripts  # noqa: E402

if __name__ == "__main__":
    sys.exit(scripts.main(scripts.rename))
