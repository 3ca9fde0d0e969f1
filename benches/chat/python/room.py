"""`join` and `send` as functions/room serves them, for one who writes it in Python: the same
calls of the table in the same order, the same posts, the same line in the log."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import boto3

TABLE = os.environ.get("CHAT_TABLE")
DAY = 24 * 60 * 60
LIFETIME = 125 * 60
table = boto3.client("dynamodb") if TABLE else None
# Posts, and the two writes of a message, beside each other.
beside = ThreadPoolExecutor(8)
gateways = {}
rooms = {}  # without a table: members and messages


def gateway(context):
    url = f"https://{context['domainName']}/{context['stage']}"
    if url not in gateways:
        gateways[url] = boto3.client("apigatewaymanagementapi", endpoint_url=url)
    return gateways[url]


def handle(event, _):
    began = time.monotonic()
    context, request = event["requestContext"], json.loads(event["body"])
    room, me = request["room"], context["connectionId"]
    line = {"requestId": context["requestId"], "routeKey": context["routeKey"], "connectionId": me, "room": room}
    serve = (send_by_table if TABLE else send_in_memory) if request["action"] == "send" else join_in_memory
    members, told, answer = serve(context, request, room, me)
    posts = gateway(context)
    delivered = list(beside.map(lambda member: post(posts, member, told), members))
    if answer:
        post(posts, me, answer | {"delivered": len(delivered), "undelivered": 0, "relayed": 0})
        line["seq"] = answer["seq"]
    line["delivery"] = {"delivered": len(delivered)}
    print(json.dumps(line | {"Delivered": len(delivered), "Latency": int((time.monotonic() - began) * 1000)}))
    return {"statusCode": 200}


def post(posts, connection, envelope):
    posts.post_to_connection(ConnectionId=connection, Data=json.dumps(envelope).encode())


def message(context, request, room, me, seq):
    said = {"seq": seq, "id": request["id"], "from": {"connection": me}, "text": request["msg"]}
    return {"type": "message", "room": room} | said | {"at": context["requestTimeEpoch"]}


def sent(request, room, seq):
    return {"type": "sent", "room": room, "seq": seq, "id": request["id"], "repeated": False}


def join_in_memory(_context, _request, room, me):
    members, _ = rooms.setdefault(room, ({}, []))
    members[me] = True
    told = {"type": "joined", "room": room, "member": {"connection": me}, "members": len(members), "last": 0}
    return list(members), told, None


def send_in_memory(context, request, room, me):
    members, log = rooms[room]
    if me not in members:
        raise PermissionError(f"{me} is no member of {room}")
    told = message(context, request, room, me, len(log) + 1)
    log.append(told)
    return list(members), told, sent(request, room, told["seq"])


def send_by_table(context, request, room, me):
    now_ms = context["requestTimeEpoch"]
    now = now_ms // 1000
    found = table.get_item(TableName=TABLE, Key=key(f"room#{room}", me), ConsistentRead=True)
    if "Item" not in found:
        raise PermissionError(f"{me} is no member of {room}")
    table.update_item(
        TableName=TABLE,
        Key=key(f"conn#{me}", "meta"),
        UpdateExpression="SET drained = :next, expires = if_not_exists(expires, :expires)",
        ExpressionAttributeValues={":next": number(now_ms + 5), ":expires": number(now + LIFETIME)},
    )
    end = table.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": text(f"log#{room}")},
        ConsistentRead=True,
        ScanIndexForward=False,
        Limit=2,
    )
    seq = max((int(item["seq"]["N"]) for item in end["Items"]), default=0) + 1
    table.put_item(
        TableName=TABLE,
        Item=key(f"id#{room}", f"{len(me)}#{me}#{request['id']}") | {"seq": number(seq), "expires": number(now + LIFETIME)},
        ConditionExpression="attribute_not_exists(pk)",
    )
    said = {"seq": number(seq), "connection": text(me), "body": text(request["msg"]), "at": number(now_ms)}
    head = beside.submit(
        table.update_item,
        TableName=TABLE,
        Key=key(f"log#{room}", "head"),
        UpdateExpression="SET seq = :seq",
        ConditionExpression="attribute_not_exists(seq) OR seq < :seq",
        ExpressionAttributeValues={":seq": number(seq)},
    )
    table.put_item(
        TableName=TABLE,
        Item=key(f"log#{room}", f"{seq:020}") | said | {"id": text(request["id"]), "expires": number(now + DAY)},
        ConditionExpression="attribute_not_exists(pk)",
    )
    head.result()
    members = table.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": text(f"room#{room}")},
        ConsistentRead=True,
    )
    there = [item["sk"]["S"] for item in members["Items"]]
    return there, message(context, request, room, me, seq), sent(request, room, seq)


def key(pk, sk):
    return {"pk": text(pk), "sk": text(sk)}


def text(value):
    return {"S": value}


def number(value):
    return {"N": str(value)}
