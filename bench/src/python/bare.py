"""A bare connection, by hand: what asking `whoami` costs any program in Python that checks the daemon's proof."""

import base64, hashlib, hmac, json, os, socket, sys  # noqa: E401

room, name = sys.argv[1:]
with open(f"{room}/agents/{name}.json") as file:
    token = json.load(file)["session"]["token"]
raw = base64.urlsafe_b64decode(token[5:69])


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def data(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def mac(key, message):
    return hmac.digest(key, message, "sha256")


def call(number, method, **params):
    payload = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
    stream.sendall(len(payload).to_bytes(4, "big") + payload)
    length = int.from_bytes(stream.recv(4, socket.MSG_WAITALL), "big")
    return json.loads(stream.recv(length, socket.MSG_WAITALL))["result"]


stream = socket.socket(socket.AF_UNIX)
stream.connect(f"{room}/ipc.sock")
nonce, sid, key = os.urandom(32), text(raw[:16]), raw[16:]
said = call(1, "hello", v=1, cred="session", id=sid, cn=text(nonce), kdfs=["scrypt"])
ends = (said["peer"]["uid"], said["peer"]["pid"], said["suid"])
parts = [data(said["dep"]), nonce, data(said["sn"]), b"session", sid.encode(), b"none", b"", b"", b"scrypt"]
parts.append(b"".join(number.to_bytes(4, "big") for number in ends))
proved = b"claude-ipc/1 auth\0" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
client = mac(key, b"Client Key")
mask = mac(hashlib.sha256(client).digest(), proved)
signed = call(2, "authenticate", proof=text(bytes(a ^ b for a, b in zip(client, mask))))
assert hmac.compare_digest(data(signed["sig"]), mac(mac(key, b"Server Key"), proved))
assert call(3, "whoami")["name"] == name
