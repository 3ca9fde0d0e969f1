"""Whether an answer, as it came over the wire, has the shape that a model gives it.

Gives what is wrong as sentences. What a parser would forgive counts: members that the
model doesn't know, numbers that are texts, times in another format.
"""

import re
import xml.etree.ElementTree as ElementTree

ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
WHOLE = re.compile(r"-?\d+")
# Values that AWS answers with, though its models don't have them, and members that it
# leaves out, though its models require them.
OBSERVED = {("LastUpdateStatusReasonCode", "Creating")}
LEFT_OUT = {
    ("GetFunctionCodeSigningConfigResponse", "CodeSigningConfigArn"),
    ("GetFunctionCodeSigningConfigResponse", "FunctionName"),
}
TYPES = {
    "blob": str,
    "boolean": bool,
    "double": (int, float),
    "float": (int, float),
    "integer": int,
    "list": list,
    "long": int,
    "map": dict,
    "string": str,
    "structure": dict,
}


def check_json(shape, value, path="answer"):
    """A JSON value against its shape."""
    kind = shape.type_name
    # JSON has no times: seconds, unless the model says otherwise.
    iso = shape.serialization.get("timestampFormat") == "iso8601"
    wanted = (str if iso else (int, float)) if kind == "timestamp" else TYPES[kind]
    # A boolean is an integer to Python alone.
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path}: {value!r} has another type than the model"
    elif kind == "structure":
        yield from check_members(shape, value, path)
    elif kind == "list":
        for index, item in enumerate(value):
            yield from check_json(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            yield from check_json(shape.key, key, f"{path}: key {key}")
            yield from check_json(shape.value, item, f"{path}.{key}")
    elif iso and not ISO_8601.fullmatch(value):
        yield f"{path}: {value!r} is no ISO 8601 time"
    elif kind == "string":
        yield from check_text(shape, value, path)


def check_members(shape, value, path):
    in_body = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
    names = {member.serialization.get("name", name): name for name, member in in_body.items()}
    for key, item in value.items():
        if key not in names:
            yield f"{path}: the model has no member {key}"
        elif item is None:
            yield f"{path}.{key} is null"
        else:
            yield from check_json(in_body[names[key]], item, f"{path}.{key}")
    for key in sorted(names.keys() - value.keys()):
        if names[key] in shape.required_members and (shape.name, names[key]) not in LEFT_OUT:
            yield f"{path}: required {key} is missing"


def check_xml(shape, element, path="answer"):
    """An XML element, of the query protocol, against its shape."""
    kind = shape.type_name
    text = element.text or ""
    if kind == "structure":
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        for child in element:
            if (tag := tag_of(child)) not in names:
                yield f"{path}: the model has no member {tag}"
            else:
                yield from check_xml(shape.members[names[tag]], child, f"{path}.{tag}")
        present = {names.get(tag_of(child)) for child in element}
        for name in sorted(set(shape.required_members) - present):
            yield f"{path}: required {name} is missing"
    elif kind == "list":
        for index, child in enumerate(element):
            if tag_of(child) != "member":
                yield f"{path}: {tag_of(child)} instead of member"
            yield from check_xml(shape.member, child, f"{path}[{index}]")
    elif kind == "map":
        for index, entry in enumerate(element):
            if [tag_of(child) for child in entry] != ["key", "value"]:
                yield f"{path}[{index}]: {ElementTree.tostring(entry)!r} is no entry of a map"
                continue
            yield from check_xml(shape.key, entry[0], f"{path}: key {entry[0].text}")
            yield from check_xml(shape.value, entry[1], f"{path}.{entry[0].text}")
    elif kind == "boolean" and text not in ("true", "false"):
        yield f"{path}: {text!r} is no boolean"
    elif kind in ("integer", "long") and not WHOLE.fullmatch(text):
        yield f"{path}: {text!r} is no number"
    elif kind == "timestamp" and not ISO_8601.fullmatch(text):
        yield f"{path}: {text!r} is no ISO 8601 time"
    elif kind == "string":
        yield from check_text(shape, text, path)


def check_text(shape, value, path):
    """Clients may meet values of newer models; ours must be of this one."""
    if shape.enum and value not in shape.enum and (shape.name, value) not in OBSERVED:
        yield f"{path}: {value!r} is none of {shape.enum}"


def tag_of(element):
    return element.tag.rpartition("}")[2]
