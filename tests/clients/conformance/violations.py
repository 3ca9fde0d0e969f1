"""Input that breaks one rule of its model, derived from a call that keeps them all."""

import re

# The models of API Gateway tell some rules by the names of shapes alone.
BETWEEN = re.compile(r"(?:String|Uri)WithLengthBetween(\d+)And(\d+)(K?)")
# Most patterns forbid one of these; the models' own syntax is Java's.
ODD_TEXTS = ["!", "a b", "\u2603", "\u0001", "-", "x"]
JAVA_CLASSES = {r"\p{L}": r"^\W\d_", r"\p{Z}": r"\s", r"\p{N}": r"\d", r"\p{Alnum}": "a-zA-Z0-9"}
# Longer values are refused by size before any rule is asked.
LONGEST = 40_000


def without_required(operation, parameters):
    """The call without each of its required members. One in the path can't be left out:
    that would be another operation's path."""
    shape = operation.input_shape
    for path, holder in structures(shape, parameters, ()):
        for name in holder.required_members:
            if holder.members[name].serialization.get("location") != "uri":
                changed = without(parameters, (*path, name))
                if changed is not None:
                    yield dotted((*path, name)), changed


def broken(operation, parameters):
    """The call with one value that breaks a rule, for each rule that a model states."""
    for path, holder in structures(operation.input_shape, parameters, ()):
        for name, shape in holder.members.items():
            location = shape.serialization.get("location")
            for rule, value in illegal(shape, lookup(parameters, (*path, name))):
                # An empty segment is another path; a header has no such letters.
                unsendable = location == "uri" and value == ""
                unsendable |= location == "header" and isinstance(value, str) and not value.isascii()
                if not unsendable:
                    yield f"{dotted((*path, name))}: {rule}", replaced(parameters, (*path, name), value)


def illegal(shape, good):
    """Values that break one rule of a shape each; `good` is what stands there, if anything."""
    rules = dict(shape.metadata)
    if between := BETWEEN.fullmatch(shape.name):
        least, most, kilo = between.groups()
        rules |= {"min": int(least), "max": int(most) * (1024 if kilo else 1)}
    least, most = rules.get("min"), rules.get("max")
    if shape.type_name == "string":
        if shape.enum:
            yield "not in the enum", "none-of-them"
            return
        if least:
            yield f"shorter than {least}", "a" * (least - 1)
        if most and most < LONGEST:
            yield f"longer than {most}", "a" * (most + 1)
        if odd := unlike(rules.get("pattern"), least or 0):
            yield f"unlike {rules['pattern']}", odd
    elif shape.type_name in ("integer", "long"):
        if least is not None:
            yield f"less than {least}", least - 1
        if most is not None and most < 2**31 - 1:
            yield f"more than {most}", most + 1
    elif shape.type_name == "list" and isinstance(good, list) and good:
        if least:
            yield f"fewer than {least}", []
        if most and most < 1000:
            yield f"more than {most}", (good * (most + 1))[: most + 1]
    elif shape.type_name == "map" and isinstance(good, dict):
        if most and most < 1000:
            yield f"more than {most}", {f"k{n}": next(iter(good.values())) for n in range(most + 1)}


def unlike(pattern, least):
    """A text that a pattern forbids; none if no such text is known here."""
    if not pattern:
        return None
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        compiled = re.compile(pattern)
    except re.error:
        return None
    for odd in ODD_TEXTS:
        text = odd * max(1, least)
        if not compiled.fullmatch(text):
            return text
    return None


def structures(shape, value, path):
    """The structures of an input that are there, with the way to each."""
    yield path, shape
    for name, member in shape.members.items():
        inner = value.get(name)
        if member.type_name == "structure" and isinstance(inner, dict):
            yield from structures(member, inner, (*path, name))
        elif member.type_name == "list" and inner and member.member.type_name == "structure":
            yield from structures(member.member, inner[0], (*path, name, 0))


def lookup(value, path):
    for step in path:
        if isinstance(value, dict) and step not in value:
            return None
        value = value[step]
    return value


def replaced(value, path, new):
    """A copy with something else at the end of a way."""
    if not path:
        return new
    step, *rest = path
    if isinstance(value, list):
        return [replaced(item, rest, new) if index == step else item for index, item in enumerate(value)]
    return {**value, step: replaced(value.get(step), rest, new)}


def without(value, path):
    """A copy without what stands at the end of a way; `None` if nothing does."""
    *way, name = path
    holder = lookup(value, way)
    if not isinstance(holder, dict) or name not in holder:
        return None
    return replaced(value, way, {key: item for key, item in holder.items() if key != name})


def dotted(path):
    return ".".join(map(str, path))
