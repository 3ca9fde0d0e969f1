"""What a call that breaks its model must be answered with, and where AWS is known not to
ask for what its models say."""

import re

from botocore.exceptions import ClientError

# By which a service says that input is wrong, whatever the operation. Models list few.
VALIDATION = {
    "apigateway": {"BadRequestException"},
    "apigatewaymanagementapi": {"BadRequestException", "PayloadTooLargeException"},
    "apigatewayv2": {"BadRequestException"},
    "cloudwatch": {"MissingParameter", "ValidationError"},
    "iam": {"ValidationError"},
    "lambda": {"InvalidParameterValueException", "ValidationException"},
    "logs": {"InvalidParameterException", "ValidationException"},
    "secretsmanager": {"InvalidParameterException", "ValidationException"},
    "ssm": {"ValidationException"},
    "sts": {"ValidationError"},
}

# What of a service is taken although its model forbids it, and why.
TAKEN = {
    "apigatewaymanagementapi": {
        r"PostToConnection with Data": "nothing tells a payload that is absent from one that is empty",
    },
    "apigatewayv2": {
        r"Update\w+ with \w+: shorter than 1": "an update clears by an empty text, observed on AWS",
        r"\w+Authorizer with IdentityValidationExpression": "AWS documents that it isn't used",
    },
}


def judge(service, model, what, answer):
    """`None`: as it should be; else what is wrong."""
    if not isinstance(answer, ClientError):
        return None if exception(service, model.name, what) else "it is accepted"
    error, metadata = answer.response["Error"], answer.response["ResponseMetadata"]
    listed = {shape.error_code or shape.name: shape.metadata.get("error", {}) for shape in model.error_shapes}
    code, status = error["Code"], metadata["HTTPStatusCode"]
    if code in VALIDATION[service]:
        wanted = 413 if code == "PayloadTooLargeException" else 400
    elif code in listed:
        wanted = listed[code].get("httpStatusCode", 400)
    else:
        return f"{code} ({error['Message']}) is no error of this operation"
    if status != wanted:
        return f"{code} comes with {status} instead of {wanted}"
    return None if metadata.get("RequestId") else f"{code} has no request id"


def exception(service, operation, what):
    """Why AWS takes it."""
    called = f"{operation} with {what}"
    reasons = (reason for rule, reason in TAKEN.get(service, {}).items() if re.match(rule, called))
    return next(reasons, None)
