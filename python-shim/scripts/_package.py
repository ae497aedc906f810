"""Finds the package for the scripts beside this file: in the directory above, else where it is installed."""

import os
import sys

#: The oldest Python that the package is written for.
OLDEST = (3, 9)


def run(name):
    """Runs the script ``name`` of claude_ipc/scripts.py over the arguments of this process, and ends it."""
    if sys.version_info < OLDEST:
        sys.exit("error: this needs Python 3.9 or later; this is Python %d.%d" % sys.version_info[:2])
    tree = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if os.path.isfile(os.path.join(tree, "claude_ipc", "scripts.py")):
        sys.path.insert(0, tree)
    try:
        from claude_ipc import scripts
    except ModuleNotFoundError as error:
        if error.name != "claude_ipc":
            raise
        scripts = None
    if scripts is None:
        sys.stderr.write("error: the package claude_ipc is neither installed nor beside %s\n" % os.path.dirname(__file__))
        sys.stderr.write("hint: copy the directory python-shim as a whole\n")
        sys.exit(2)
    sys.exit(scripts.main(getattr(scripts, name)))
