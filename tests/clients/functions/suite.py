"""Functions in other languages, unmodified: their runtimes, their SDKs, their failures."""

import base64
import json

import stack
from local_cloud import until
from programs.boto import Boto

ERROR_FRAME = "Internal server error"
# What each runtime writes of a failure, with where in the file it was.
TRACES = {"python": "handler.py", "node": "handler.js"}


def run(cloud, checks):
    boto = Boto(cloud)
    for language, trace in TRACES.items():
        with checks.check(f"a function in {language} echoes what it is sent"):
            built = boto.build(f"in-{language}", language)
            with stack.socket_to(cloud, built) as socket:
                answer = stack.ask(socket, "hello")
                assert (answer["echo"], answer["language"]) == ("hello", language), answer
        with checks.check(f"a function in {language} posts to the https address that its event tells"):
            with stack.socket_to(cloud, built) as socket:
                answer = stack.ask(socket, "post")
                assert (answer["echo"], answer["language"]) == ("post", language), answer
        with checks.check(f"what a function in {language} throws is a frame, and stands in its log"):
            with stack.socket_to(cloud, built) as socket:
                answer = stack.ask(socket, "throw")
                assert answer["message"] == ERROR_FRAME, answer
                assert stack.ask(socket, "hello")["echo"] == "hello", "the socket stays open"
            log = until(lambda: (log := boto.log(built)).count("Unhappy") and log, "the failure's line")
            assert "as it was asked to" in log and trace in log, log
        with checks.check(f"Invoke tells what a function in {language} throws"):
            invoke(boto, built)
        boto.remove(built)
    with checks.check("functions in other languages leave nothing"):
        cloud.check_empty()


def invoke(boto, built):
    event = {"requestContext": {"eventType": "MESSAGE", "connectionId": "x"}, "body": "throw"}
    answer = boto.lambda_.invoke(FunctionName=built.name, Payload=json.dumps(event), LogType="Tail")
    assert answer["FunctionError"] == "Unhandled", answer
    payload = json.load(answer["Payload"])
    assert (payload["errorType"], payload["errorMessage"]) == ("Unhappy", "as it was asked to"), payload
    assert "REPORT RequestId" in base64.b64decode(answer["LogResult"]).decode()
