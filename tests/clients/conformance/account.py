"""Calls the way boto3 makes them, without its own checks, and what came over the wire."""

import json
import xml.etree.ElementTree as ElementTree

from botocore.exceptions import ClientError

from . import shapes, violations
from .refusals import judge


class Account:
    """Makes each operation's good call, after bad ones like it have been refused."""

    def __init__(self, cloud):
        self.cloud, self.clients = cloud, {}
        # Where a service isn't at the root of the port.
        self.paths = {}
        # Answers to bad calls, by service and operation.
        self.taken = {}
        # By service: operations, and what was found.
        self.succeeded, self.answers, self.missing, self.illegal = {}, {}, {}, {}

    def client(self, service):
        if service not in self.clients:
            client = self.cloud.client(
                service, self.cloud.endpoint + self.paths.get(service, ""), parameter_validation=False
            )
            client.meta.events.register(f"before-parse.{client.meta.service_model.service_id.hyphenize()}", self.keep)
            self.clients[service] = client
        return self.clients[service]

    def keep(self, response_dict, **_):
        self.raw = response_dict

    def send(self, service, operation, parameters):
        """One call. Gives the parsed answer, or the `ClientError`."""
        client = self.client(service)
        try:
            return client._make_api_call(operation, parameters)  # noqa: SLF001, as its methods do
        except ClientError as error:
            return error

    def call(self, service, operation, **parameters):
        """A good call; the first of its operation comes after bad ones."""
        model = self.client(service).meta.service_model.operation_model(operation)
        known = self.succeeded.setdefault(service, set())
        if operation not in known and model.input_shape is not None:
            self.refuse_bad_ones(service, model, parameters)
        answer = self.send(service, operation, parameters)
        if isinstance(answer, ClientError):
            # A bad call that was taken may be in the way; it is reported as such.
            answer, self.raw = self.taken.pop((service, operation), (answer, self.raw))
        assert not isinstance(answer, ClientError), f"{service} {operation} {parameters}: {answer}"
        known.add(operation)
        found = self.problems(model, answer)
        self.answers.setdefault(service, []).extend(f"{operation}: {problem}" for problem in found)
        return answer

    def refuse_bad_ones(self, service, model, parameters):
        for kind, calls in (
            (self.missing, violations.without_required(model, parameters)),
            (self.illegal, violations.broken(model, parameters)),
        ):
            found = kind.setdefault(service, [])
            for what, changed in calls:
                answer = self.send(service, model.name, changed)
                found.append((model.name, what, judge(service, model, what, answer)))
                if not isinstance(answer, ClientError):
                    self.taken[service, model.name] = answer, self.raw

    def problems(self, model, answer):
        """What is wrong with an answer as it came."""
        raw, metadata = self.raw, answer["ResponseMetadata"]
        if not metadata.get("RequestId"):
            yield "it has no request id"
        wanted = model.http.get("responseCode", 200)
        members = model.output_shape.members.values() if model.output_shape else []
        told = any(member.serialization.get("location") == "statusCode" for member in members)
        if raw["status_code"] != wanted and not told:
            yield f"its status is {raw['status_code']} instead of {wanted}"
        shape = model.output_shape
        body = raw["body"]
        if shape is None or not shape.members:
            if model.service_model.metadata["protocol"] == "rest-json" and body not in (b"", b"{}"):
                yield f"it has a body: {body!r}"
            return
        # Events of a stream are looked at where they are read.
        if model.has_streaming_output or model.has_event_stream_output:
            return
        if model.service_model.metadata["protocol"] == "query":
            result = ElementTree.fromstring(body)[0]
            if shapes.tag_of(result) != shape.serialization["resultWrapper"]:
                yield f"the result is called {shapes.tag_of(result)}"
            yield from shapes.check_xml(shape, result)
        else:
            yield from shapes.check_json(shape, json.loads(body or b"{}"))
