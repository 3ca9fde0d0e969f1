"""The whole service on the local cloud, with its rooms in a table that the deployer makes
in somebody else's DynamoDB: what two clients hear of each other, what outlives the stage,
what `down` removes, and what a role without permissions may do.

usage: service.py DEPLOYER DYNAMODB_URL FUNCTIONS_DIR
"""

import asyncio
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

import boto3
import websockets

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = "chat-local-rooms"
PATIENCE = 20  # seconds for one answer
REGION = "us-east-1"


def client(url):
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client("dynamodb", endpoint_url=url, region_name=REGION, **keys)


def of_stage(tables):
    """Not those of other suites."""
    names = [name for page in tables.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    return [name for name in names if name.startswith("chat-local-")]


class Stage:
    """The chat on a local cloud of its own."""

    def __init__(self, deployer, dynamodb, functions, folder, connect_may="UpdateItem"):
        self.project = folder
        shutil.copytree(ROOT / "stages", folder / "stages")
        service = folder / "stages/service.toml"
        may = 'actions = ["{}"]'
        text = service.read_text()
        assert may.format("UpdateItem") in text
        service.write_text(text.replace(may.format("UpdateItem"), may.format(connect_may)))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.settle()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = kept | {
            "CARGO": str(ROOT / "benches/deploy/prebuilt-cargo"),
            "PREBUILT": str(functions),
            "DEPLOYER_LOCAL_DYNAMODB": dynamodb,
        }
        self.deployer = deployer

    def settle(self, **rooms):
        """With a table, unlike the shipped `local`."""
        lines = [f"{key} = {json.dumps(value)}" for key, value in rooms.items()]
        text = f'target = "local"\nport = {self.port}\n[tables.rooms]\n' + "\n".join(lines) + "\n"
        (self.project / "stages/local.toml").write_text(text)

    def run(self, *command):
        command = [self.deployer, "--project", self.project, *command]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{command} failed: {done.stderr}")
        return done.stdout

    def up(self):
        # The result is the last line; before it come events.
        return json.loads(self.run("up", "local", "--json").splitlines()[-1])

    def __enter__(self):
        self.url = self.up()["url"]
        return self

    def __exit__(self, *_):
        self.run("down", "local")


async def hears(client):
    return await asyncio.wait_for(client.recv(), PATIENCE)


async def hears_json(client):
    return json.loads(await hears(client))


async def says(client, **request):
    await client.send(json.dumps(request))


def equal(found, expected):
    if found != expected:
        raise SystemExit(f"heard {found!r} instead of {expected!r}")


async def two_clients_hear_each_other(url):
    async with websockets.connect(url, subprotocols=["chat.json"]) as ada:
        equal(ada.subprotocol, "chat.json")
        await says(ada, action="join", room="r")
        joined = await hears_json(ada)
        me = joined["member"]["connection"]
        equal((joined["type"], joined["members"], joined["last"]), ("joined", 1, 0))
        async with websockets.connect(url) as bob:
            await says(bob, action="join", room="r")
            him = (await hears(bob)).removesuffix(" has joined to Room r")
            equal((await hears_json(ada))["member"], {"connection": him})
            await says(bob, action="join", room="r")
            equal(await hears(bob), "You have already joined to r.")
            # Twice with one id: stored and told once.
            for repeated in (False, True):
                await says(ada, action="send", room="r", msg="hello", id="m1")
                if not repeated:
                    equal((await hears_json(ada))["seq"], 1)
                    equal(await hears(bob), f"[{me}]: hello")
                sent = await hears_json(ada)
                equal((sent["type"], sent["seq"], sent["repeated"]), ("sent", 1, repeated))
            await says(bob, action="history", room="r")
            equal(await hears(bob), f"1 [{me}]: hello")
            await bob.send("to nobody")
            equal(await hears(bob), "to nobody")
            await ada.send("to nobody")
            equal(await hears_json(ada), {"type": "echo", "text": "to nobody"})
        await asyncio.wait_for(alone(ada), PATIENCE)
        await says(ada, action="leave", room="r")
        equal((await hears_json(ada))["type"], "left")
        await says(ada, action="send", room="r", msg="x")
        equal((await hears_json(ada))["code"], "NOT_A_MEMBER")


async def finds_what_was_said(url):
    async with websockets.connect(url) as eve:
        await says(eve, action="join", room="r")
        await hears(eve)
        await says(eve, action="history", room="r")
        said = await hears(eve)
        if not said.startswith("1 [") or not said.endswith("]: hello"):
            raise SystemExit(f"the history says {said!r}")


async def alone(client):
    """`$disconnect` runs when the close is done: soon, not at once."""
    while True:
        await says(client, action="who", room="r")
        if (await hears_json(client))["total"] == 1:
            return


async def nobody_gets_in(url):
    try:
        async with websockets.connect(url, subprotocols=["chat.json"]):
            pass
    except websockets.InvalidStatus as refused:
        equal(refused.response.status_code // 100, 5)
        return
    raise SystemExit("a function without permissions has noted who connected")


def main():
    deployer, dynamodb, functions = (str(pathlib.Path(it).resolve()) if "://" not in it else it for it in sys.argv[1:])
    tables = client(dynamodb)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        stage = Stage(deployer, dynamodb, functions, pathlib.Path(one))
        stage.settle(on_down="retain")
        with stage:
            equal(of_stage(tables), [TABLE])
            equal(stage.up()["changed"], False)
            asyncio.run(two_clients_hear_each_other(stage.url))
        # Retained, with what was said; then the file says otherwise.
        equal(of_stage(tables), [TABLE])
        stage.settle(on_down="remove", point_in_time_recovery=True)
        with stage:
            equal(stage.up()["changed"], False)
            asyncio.run(finds_what_was_said(stage.url))
        equal(of_stage(tables), [])
        with Stage(deployer, dynamodb, functions, pathlib.Path(other), connect_may="Scan") as stage:
            asyncio.run(nobody_gets_in(stage.url))
        equal(of_stage(tables), [])
    print("the service on the local cloud: ok")


main()
