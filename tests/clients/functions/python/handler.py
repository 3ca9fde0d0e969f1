"""Answers through the address that its event tells, as AWS's examples do."""

import json


class Unhappy(Exception):
    """What the function throws when it is asked to."""


def handle(event, _context):
    context = event.get("requestContext")
    if context is None:
        return event
    if context["eventType"] != "MESSAGE":
        return {"statusCode": 200}
    if event["body"] == "throw":
        raise Unhappy("as it was asked to")
    who = context["connectionId"]
    answer = json.dumps({"echo": event["body"], "connectionId": who, "language": "python"})
    if event["body"] == "post":
        # Most events do without it, and it takes a while.
        import boto3

        endpoint = f"https://{context['domainName']}/{context['stage']}"
        client = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
        client.post_to_connection(ConnectionId=who, Data=answer.encode())
        return {"statusCode": 200}
    return {"statusCode": 200, "body": answer}
