"""A window of an agent's host: nobody's descendant, the parent of one server, gone when that is."""
import os
import sys

if os.fork():
    os._exit(0)
os.setsid()
server = os.fork()
if server == 0:
    os.write(2, f"{os.getppid()} {os.getpid()}\n".encode())
    os.execve(sys.argv[1], sys.argv[1:], dict(os.environ))
os.close(0)
os.close(1)
status = os.waitstatus_to_exitcode(os.waitpid(server, 0)[1])
os.write(2, f"{status}\n".encode())
