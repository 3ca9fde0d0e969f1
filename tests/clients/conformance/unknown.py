"""Operations that aren't served say so by their name, whatever they are asked with."""

import urllib.parse

from botocore.exceptions import ClientError

CODE, STATUS = "UnknownOperationException", 501


def check(account, service, served):
    """Gives how many there are, and which of them are answered otherwise."""
    model = account.client(service).meta.service_model
    wrong = []
    others = [name for name in model.operation_names if name not in served]
    for name in others:
        operation = model.operation_model(name)
        if operation.auth_type == "none":
            # Nothing tells whose service an unsigned request is for: all are refused as such.
            continue
        answer = account.send(service, name, in_path(operation))
        what = called(operation)
        if not isinstance(answer, ClientError):
            wrong.append(f"{name} is answered")
            continue
        error = answer.response["Error"]
        status = answer.response["ResponseMetadata"]["HTTPStatusCode"]
        if (error["Code"], status) != (CODE, STATUS) or what not in error["Message"]:
            wrong.append(f"{name}: {status} {error['Code']}: {error['Message']!r} instead of {what!r}")
    return len(others), wrong


def in_path(operation):
    """Something for each variable of the path."""
    shape = operation.input_shape
    members = shape.members.items() if shape is not None else []
    return {name: "x" for name, member in members if member.serialization.get("location") == "uri"}


def called(operation):
    """How a request tells its operation: by path, or by name."""
    if operation.service_model.metadata["protocol"] != "rest-json":
        return operation.name
    path = urllib.parse.urlsplit(operation.http["requestUri"]).path
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + "x" + rest.partition("}")[2]
    return f"{operation.http['method']} {path.rstrip('/')}"
