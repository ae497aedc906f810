"""A terminal: a session of its own, nobody's descendant, in which commands are typed."""
import json
import os
import subprocess
import sys

if os.fork():
    os._exit(0)
os.setsid()
print(os.getpid(), flush=True)
for line in sys.stdin:
    typed = json.loads(line)
    done = subprocess.run(
        typed["command"],
        env=typed["environment"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    said = {"status": done.returncode, "out": done.stdout, "err": done.stderr}
    print(json.dumps(said), flush=True)
