"""Stands in for `systemctl --user`: runs the service's program as its unit says, and notes each call.

Beside it, in `state/`: `calls`; `strict`, where it is there, says what becomes of the service in the strict unit
(the status it ends with, or `mute`: it says that it is ready and never answers); `pid`, `result` and `status` of
the service.
"""

import os
import select
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

STATE = Path(__file__).resolve().parent / "state"
UNITS = Path(os.environ.get("HOME", "/")) / ".config/systemd/user"


def read(name, default=""):
    path = STATE / name
    return path.read_text().strip() if path.exists() else default


def write(name, value):
    (STATE / name).write_text(f"{value}\n")


def is_alive(pid):
    """Whether the process is there and has not ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(") ")[2][0] not in "ZX"


def stop():
    pid = read("pid", "0")
    write("pid", 0)
    if pid == "0" or not is_alive(pid):
        return
    handle = os.pidfd_open(int(pid))
    signal.pidfd_send_signal(handle, signal.SIGTERM)
    select.select([handle], [], [], 60)


def start():
    """Starts the service and waits until it says that it is ready."""
    unit = (UNITS / "ipc.service").read_text()
    line = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    arguments = shlex.split(line.removeprefix("ExecStart=").replace("%%", "%"))
    fate = read("strict") if (UNITS / "ipc.service.d/strict.conf").exists() else ""
    if fate == "mute":
        arguments = ["/bin/sleep", "600"]
    elif fate:
        write("result", "exit-code")
        write("status", fate)
        print("Job for ipc.service failed because the control process exited", file=sys.stderr)
        return 1
    address = STATE / "notify"
    address.unlink(missing_ok=True)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.settimeout(60)
    manager.bind(str(address))
    environment = {"HOME": os.environ["HOME"], "PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": str(address)}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    service = subprocess.Popen(arguments, env=environment, start_new_session=True, **quiet)
    if fate != "mute":
        assert manager.recv(256).startswith(b"READY=1")
    write("pid", service.pid)
    write("result", "success")
    write("status", 0)
    return 0


def main():
    verb, *words = [word for word in sys.argv[1:] if word != "--user"]
    STATE.mkdir(exist_ok=True)
    with (STATE / "calls").open("a") as calls:
        calls.write(" ".join(sys.argv[1:]) + "\n")
    if verb == "is-active":
        active = "ipc.service" in words and is_alive(read("pid", "0"))
        print("active" if active else "inactive")
        return 0 if active else 3
    if verb == "show":
        files = {"MainPID": "pid", "Result": "result", "ExecMainStatus": "status"}
        print(read(files[words[words.index("-p") + 1]]))
        return 0
    if verb in ("stop", "restart", "disable") and "ipc.service" in words:
        stop()
    if verb in ("start", "restart") and "ipc.service" in words:
        return start()
    return 0


sys.exit(main())
