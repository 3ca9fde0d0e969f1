"""The whole service on the local cloud, with its rooms in a table of somebody else's
DynamoDB: what two clients hear of each other, and what a role without permissions may do.

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

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 20  # seconds for one answer
REGION = "us-east-1"


def make_table(url):
    names = [("pk", "HASH"), ("sk", "RANGE")]
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    boto3.client("dynamodb", endpoint_url=url, region_name=REGION, **keys).create_table(
        TableName="rooms",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in names],
        BillingMode="PAY_PER_REQUEST",
    )


class Stage:
    """The chat on a local cloud of its own."""

    def __init__(self, deployer, dynamodb, functions, folder, without_permissions=False):
        self.project = folder
        shutil.copytree(HERE / "stages", folder / "stages")
        stage = folder / "stages/local.toml"
        text = stage.read_text()
        if without_permissions:
            text = text.split("[[")[0]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        stage.write_text(text.replace("\n", f"\nport = {self.port}\n", 1))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = kept | {
            "CARGO": str(HERE.parents[1] / "benches/deploy/prebuilt-cargo"),
            "PREBUILT": str(functions),
            "DEPLOYER_LOCAL_DYNAMODB": dynamodb,
        }
        self.deployer = deployer

    def run(self, *command):
        command = [self.deployer, "--project", self.project, *command]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{command} failed: {done.stderr}")
        return done.stdout

    def __enter__(self):
        self.url = json.loads(self.run("up", "local", "--json"))["url"]
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
    make_table(dynamodb)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        with Stage(deployer, dynamodb, functions, pathlib.Path(one)) as stage:
            asyncio.run(two_clients_hear_each_other(stage.url))
        with Stage(deployer, dynamodb, functions, pathlib.Path(other), without_permissions=True) as stage:
            asyncio.run(nobody_gets_in(stage.url))
    print("the service on the local cloud: ok")


main()
