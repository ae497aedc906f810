"""A terminal: a session of its own, nobody's descendant, in which commands are typed."""
import json
import os
import signal
import subprocess
import sys
import threading

if os.fork():
    os._exit(0)
os.setsid()
# An interrupt is for the command, and the window goes on. A handler is not handed on to commands,
# as ignoring would be.
signal.signal(signal.SIGINT, lambda *_: None)
print(os.getpid(), flush=True)
screen = threading.Lock()


def show(event):
    with screen:
        print(json.dumps(event), flush=True)


def forward(pipe, name):
    for line in pipe:
        show({name: line})


def run(typed):
    command = subprocess.Popen(
        typed["command"],
        env=typed["environment"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pipes = [(command.stdout, "out"), (command.stderr, "err")]
    readers = [threading.Thread(target=forward, args=pipe, daemon=True) for pipe in pipes]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    show({"status": command.wait()})


for line in sys.stdin:
    typed = json.loads(line)
    if typed == "interrupt":
        os.killpg(0, signal.SIGINT)
    else:
        threading.Thread(target=run, args=(typed,), daemon=True).start()
