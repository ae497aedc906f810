"""A process between client and daemon that writes down every byte, and forges what it is told to.

Arguments: where it listens, where the daemon does, a directory for what it saw, `relay` or `forge`.
"""

import os
import re
import socket
import struct
import sys
import threading

LISTEN, TARGET, SEEN, MODE = sys.argv[1:5]


def read_exactly(source: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = source.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def frames(source: socket.socket):
    while True:
        head = read_exactly(source, 4)
        yield read_exactly(source, struct.unpack(">I", head)[0])


def pump(source: socket.socket, sink: socket.socket, trace, change) -> None:
    try:
        for payload in frames(source):
            changed = change(payload)
            data = struct.pack(">I", len(changed)) + changed
            # Before it goes on: whoever has heard an answer finds it here.
            trace.write(data)
            trace.flush()
            sink.sendall(data)
    except (EOFError, OSError):
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    trace.close()


def serve(client: socket.socket, number: int) -> None:
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid = struct.unpack("3i", credentials)[0]

    def forge(payload: bytes) -> bytes:
        """What the daemon sees becomes what the client expects it to see."""
        return re.sub(rb'"pid":\d+', b'"pid":%d' % pid, payload)

    def keep(payload: bytes) -> bytes:
        return payload

    daemon = socket.socket(socket.AF_UNIX)
    daemon.connect(TARGET)
    up = open(os.path.join(SEEN, f"{number}.up"), "wb")
    down = open(os.path.join(SEEN, f"{number}.down"), "wb")
    backwards = threading.Thread(target=pump, args=(daemon, client, down, forge if MODE == "forge" else keep))
    backwards.start()
    pump(client, daemon, up, keep)
    backwards.join()
    client.close()
    daemon.close()


listener = socket.socket(socket.AF_UNIX)
listener.bind(LISTEN)
listener.listen(64)
print("listening", flush=True)
for connection in range(1_000_000):
    threading.Thread(target=serve, args=(listener.accept()[0], connection), daemon=True).start()
