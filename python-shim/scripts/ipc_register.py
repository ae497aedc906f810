#!/usr/bin/env python3
"""The drop-in script of version 2; see claude_ipc/scripts.py."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import _package  # noqa: E402

_package.run("register")
