"""What the CLI and the SDKs each build: an echo behind a WebSocket API, and how it is
talked to. They build it by their own calls; what stands in those is the same."""

import contextlib
import dataclasses
import json

import websockets.sync.client
from botocore.exceptions import ClientError

from local_cloud import DEADLINE

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"},
        {"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "*"},
    ],
}
ROUTES = ["$connect", "$default", "$disconnect"]
SELECTION = "$request.body.action"
STAGE = "prod"


@dataclasses.dataclass
class Built:
    """What a client has built."""

    name: str
    api: str
    function_arn: str

    @property
    def log_group(self):
        return f"/aws/lambda/{self.name}"


def integration_uri(region, function_arn):
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function_arn}/invocations"


def source_arn(region, account, api):
    return f"arn:aws:execute-api:{region}:{account}:{api}/*/*"


@contextlib.contextmanager
def socket_to(cloud, built):
    url = f"ws://127.0.0.1:{cloud.port}/{built.api}/{STAGE}"
    with websockets.sync.client.connect(url, open_timeout=DEADLINE) as socket:
        yield socket


def ask(socket, text):
    """Says something, and gives the answer."""
    socket.send(text)
    return receive(socket)


def receive(socket):
    return json.loads(socket.recv(timeout=DEADLINE))


def gone(call, code="GoneException"):
    """The call must say that there is no such thing."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in (code, "410")
    return False


def closed_with(socket):
    """The code that a socket is closed with."""
    try:
        socket.recv(timeout=DEADLINE)
    except websockets.exceptions.ConnectionClosed as closed:
        return closed.rcvd.code
    raise AssertionError("the socket isn't closed")
