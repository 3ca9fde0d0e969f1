"""The room function in Rust and in Python, side by side on one local cloud: how long until a
process asks for its first event, and how long it has a message, by Lambda's own REPORT lines.

A WebSocket of this program's is the one member that is told; it counts what it hears.
"""

import base64
import contextlib
import io
import json
import os
import pathlib
import py_compile
import re
import statistics
import sys
import threading
import time
import urllib.request
import zipfile

import boto3
import websockets.sync.client

from shared.processes import tree

COLD = 10  # functions of each kind, each started once
WARM, WARM_UP = 200, 20  # messages
ROOM = "bench"
TABLE = "chat-local-rooms"
MEMORY_MB = 256
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


def zipped(files):
    """The zip of {name: path}."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100755 << 16
            archive.writestr(info, content)
    return out.getvalue()


def rust_zip(binary):
    return zipped({"bootstrap": binary.read_bytes()})


def python_zip(here, packages, interpreter):
    """With all that it imports, as `provided.al2023` and a container want it."""
    bootstrap = (
        "#!/bin/sh\n"
        f'export PYTHONPATH="$LAMBDA_TASK_ROOT" PYTHONDONTWRITEBYTECODE=1\nexec {interpreter} -m awslambdaric room.handle\n'
    )
    source = here / "python/room.py"
    compiled = py_compile.compile(source, packages.parent / "room.pyc", invalidation_mode=UNCHECKED)
    files = {
        "bootstrap": bootstrap.encode(),
        "room.py": source.read_bytes(),
        f"__pycache__/room.{sys.implementation.cache_tag}.pyc": pathlib.Path(compiled).read_bytes(),
    }
    for path in sorted(packages.rglob("*")):
        if path.is_file() and "bin/" not in str(path.relative_to(packages)):
            files[str(path.relative_to(packages))] = path.read_bytes()
    return zipped(files)


class Member:
    """A member of the room, and what it has heard."""

    def __init__(self, url):
        self.socket = websockets.sync.client.connect(url, subprotocols=["chat.json"])
        self.socket.send(json.dumps({"action": "join", "room": ROOM}))
        self.id = json.loads(self.socket.recv(20))["member"]["connection"]
        self.heard = {}
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for frame in self.socket:
            envelope = json.loads(frame)
            kind = envelope.get("type", "frame")
            self.heard[kind] = self.heard.get(kind, 0) + 1


class Functions:
    def __init__(self, chat, zips):
        keys = {"aws_access_key_id": "AKIALOCALCLOUDUSER00", "aws_secret_access_key": "local"}
        endpoint = f"http://127.0.0.1:{chat.port}"
        self.lambda_ = boto3.client("lambda", endpoint_url=endpoint, region_name="us-east-1", **keys)
        # Its role may do what the chat's rooms do.
        room = self.lambda_.get_function(FunctionName="chat-local-room")["Configuration"]
        self.role = room["Role"]
        self.zips = zips
        self.member = Member(chat.url)
        path = chat.url.removeprefix("ws://").rsplit("/", 1)
        self.domain, self.stage = path
        self.count = 0

    def create(self, kind, store):
        self.count += 1
        name = f"bench-{kind}-{store}-{self.count}"
        environment = {"CHAT_TABLE": TABLE} if store == "table" else {"DEPLOYER_STATE": "memory"}
        self.lambda_.create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="room.handle",
            Role=self.role,
            Code={"ZipFile": self.zips[kind]},
            Timeout=20,
            MemorySize=MEMORY_MB,
            Environment={"Variables": environment},
        )
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return name

    def event(self, action, number):
        body = {"action": action, "room": ROOM, "format": "json"}
        if action == "send":
            body |= {"msg": f"message {number}", "id": f"bench-{number}"}
        now = int(time.time() * 1000)
        context = {
            "routeKey": action,
            "messageId": "PJqCFfHyKRcCHlw=",
            "eventType": "MESSAGE",
            "extendedRequestId": "PJqCFEqHqRcFd0w=",
            "requestTime": "29/Nov/2026:08:04:03 +0000",
            "messageDirection": "IN",
            "stage": self.stage,
            "connectedAt": now,
            "requestTimeEpoch": now,
            "identity": {"sourceIp": "127.0.0.1"},
            "requestId": "PJqCFEqHqRcFd0w=",
            "domainName": self.domain,
            "connectionId": self.member.id,
            "apiId": self.domain.rsplit("/", 1)[-1],
        }
        return json.dumps({"requestContext": context, "body": json.dumps(body), "isBase64Encoded": False})

    def invoke(self, name, action, number):
        """The REPORT line's figures."""
        answer = self.lambda_.invoke(FunctionName=name, Payload=self.event(action, number), LogType="Tail")
        payload, log = answer["Payload"].read(), base64.b64decode(answer["LogResult"]).decode()
        if "FunctionError" in answer or json.loads(payload).get("statusCode") != 200:
            raise SystemExit(f"{name} failed: {payload.decode()}\n{log}")
        report = log[log.rindex("REPORT RequestId") :]
        return {what: float(ms) for what, ms in re.findall(r"(?:\t|^)([A-Z][A-Za-z ]+): ([0-9.]+) (?:ms|MB)", report)}


def cold(functions):
    """Init Duration of fresh processes, of both kinds in turn."""
    found = {"rust": [], "python": []}
    for number in range(COLD):
        for kind, durations in found.items():
            name = functions.create(kind, "table")
            durations.append(functions.invoke(name, "send", f"cold-{kind}-{number}")["Init Duration"])
    return {kind: statistics.median(durations) for kind, durations in found.items()}


def warm(functions, store):
    """Duration of a message in processes that have served some, of both kinds in turn; and
    their memory."""
    names = {kind: functions.create(kind, store) for kind in ("rust", "python")}
    durations = {kind: [] for kind in names}
    memory = {}
    for number in range(-WARM_UP, WARM):
        for kind, name in names.items():
            if number == -WARM_UP and store == "memory":
                functions.invoke(name, "join", 0)
            report = functions.invoke(name, "send", f"{store}-{kind}-{number}")
            memory[kind] = report["Max Memory Used"]
            if number >= 0:
                durations[kind].append(report["Duration"])
    return {kind: {"p50_ms": statistics.median(durations[kind]), "memory_mb": memory[kind]} for kind in names}


def processor_ms(pid):
    """That a process has used so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def process_of(cloud, function):
    """The one of a function that has one."""
    name = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    for pid in tree(cloud)[1:]:
        with contextlib.suppress(OSError):
            if name in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                return pid
    raise SystemExit(f"{function} has no process")


def profile(functions, chat, table, store, kind):
    """Where the processor's time of a message goes; resolved to 10 ms of all messages."""
    name = functions.create(kind, store)
    if store == "memory":
        functions.invoke(name, "join", 0)
    for number in range(WARM_UP):
        functions.invoke(name, "send", f"before-{store}-{kind}-{number}")
    with urllib.request.urlopen(f"http://127.0.0.1:{chat.port}/_local/health", timeout=20) as health:
        cloud = json.load(health)["pid"]
    pids = {"function": process_of(cloud, name), "local cloud": cloud}
    if store == "table":
        pids["dynalite"] = table.pid
    before = {what: processor_ms(pid) for what, pid in pids.items()}
    for number in range(WARM):
        functions.invoke(name, "send", f"profile-{store}-{kind}-{number}")
    return {what: (processor_ms(pid) - before[what]) / WARM for what, pid in pids.items()}


def measure(chat, table, here, binary, packages):
    zips = {"rust": rust_zip(binary), "python": python_zip(here, packages, sys.executable)}
    functions = Functions(chat, zips)
    figures = {"zip_mb": {kind: round(len(it) / 1e6, 2) for kind, it in zips.items()}}
    figures["cold_ms"] = cold(functions)
    for store in ("table", "memory"):
        figures[f"warm_{store}"] = warm(functions, store)
    figures["processor_ms"] = {
        store: {kind: profile(functions, chat, table, store, kind) for kind in zips} for store in ("table", "memory")
    }
    sends = 2 * COLD + 4 * 2 * (WARM + WARM_UP)
    deadline = time.monotonic() + 10
    while functions.member.heard.get("message", 0) < sends and time.monotonic() < deadline:
        time.sleep(0.05)
    heard = functions.member.heard
    if (heard.get("message"), heard.get("sent")) != (sends, sends):
        raise SystemExit(f"{sends} messages were sent, and the member heard {heard}")
    return figures
