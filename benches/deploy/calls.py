"""What the proxy recorded of one command: how many calls, how many at once, how
many one after the other, and a waterfall to read."""

import json
import re
import urllib.parse

OPERATIONS = [
    # Which call a REST request is: method, path, operation, what it names.
    ("GET", r"/v2/apis", "GetApis"),
    ("POST", r"/v2/apis", "CreateApi"),
    ("DELETE", r"/v2/apis/[^/]+", "DeleteApi"),
    ("PATCH", r"/v2/apis/[^/]+", "UpdateApi"),
    ("GET", r"/v2/apis/[^/]+", "GetApi"),
    ("GET", r"/v2/apis/[^/]+/(\w+)", "Get {0}"),
    ("POST", r"/v2/apis/[^/]+/(\w+)", "Create {0}"),
    ("GET", r"/v2/apis/[^/]+/(\w+)/([^/]+)", "Get {0} {1}"),
    ("PATCH", r"/v2/apis/[^/]+/(\w+)/([^/]+)", "Update {0} {1}"),
    ("DELETE", r"/v2/apis/[^/]+/(\w+)/([^/]+)", "Delete {0} {1}"),
    ("GET", r"/2015-03-31/functions/([^/]+)", "GetFunction {0}"),
    ("GET", r"/2015-03-31/functions/([^/]+)/configuration", "GetFunctionConfiguration {0}"),
    ("GET", r"/2015-03-31/functions/([^/]+)/versions", "ListVersionsByFunction {0}"),
    ("POST", r"/2015-03-31/functions/([^/]+)/versions", "PublishVersion {0}"),
    ("POST", r"/2015-03-31/functions", "CreateFunction"),
    ("PUT", r"/2015-03-31/functions/([^/]+)/code", "UpdateFunctionCode {0}"),
    ("PUT", r"/2015-03-31/functions/([^/]+)/configuration", "UpdateFunctionConfiguration {0}"),
    ("DELETE", r"/2015-03-31/functions/([^/]+)", "DeleteFunction {0}"),
    ("PUT", r"/\d{4}-\d\d-\d\d/functions/([^/]+)/concurrency", "PutFunctionConcurrency {0}"),
]
NAMES = ("RoleName", "logGroupName", "logGroupNamePrefix", "resourceArn", "StackName", "FunctionName", "routeKey")


def name(call):
    """Operation and resource in words."""
    body = call.get("body", "")
    if call["method"] == "POST" and body.startswith(("Action=", "Version=")):
        fields = dict(urllib.parse.parse_qsl(body))
        return " ".join(filter(None, [fields.get("Action"), named(fields)]))
    try:
        fields = json.loads(body)
    except ValueError:
        # Longer than what was kept of it.
        fields = dict(re.findall(r'"(\w+)":\s*"([^"]*)"', body))
    fields = fields if isinstance(fields, dict) else {}
    if "target" in call:
        return " ".join(filter(None, [call["target"], named(fields)]))
    path = call["path"].split("?")[0]
    for method, pattern, words in OPERATIONS:
        match = re.fullmatch(pattern, path)
        if match and method == call["method"]:
            return " ".join(filter(None, [words.format(*match.groups()), named(fields)]))
    return f"{call['method']} {path}"


def refused(call):
    """One too many, or at the same time as another: not for what was asked."""
    error = call.get("error", "")
    return call["status"] == 429 or "concurrent modification" in error or "Throttling" in error


def named(fields):
    return next((fields[key] for key in NAMES if fields.get(key)), "")


class Record:
    """The calls of one command, by their start."""

    def __init__(self, calls):
        # A call that was cut off has no end; it counts, but nothing came after it.
        self.calls = sorted((call for call in calls if "end" in call), key=lambda call: call["start"])
        self.critical = critical_path(self.calls)

    def figures(self):
        starts = [(call["start"], 1) for call in self.calls]
        ends = [(call["end"], -1) for call in self.calls]
        now = at_most = 0
        for _, change in sorted(starts + ends):
            now += change
            at_most = max(at_most, now)
        return {
            "calls": len(self.calls),
            "in_flight": at_most,
            "trips": len(self.critical),
            "path_s": round(sum(call["end"] - call["start"] for call in self.critical), 4),
            "connections": len({call["connection"] for call in self.calls}),
            "refused": sum(map(refused, self.calls)),
        }

    def waterfall(self, began=None, ended=None):
        """Times in ms since `began`; a star marks the critical path."""
        if not self.calls:
            return "  (no calls)"
        began = self.calls[0]["start"] if began is None else began
        lines = ["    start     end    ms  con  status"]
        last = began
        for call in self.calls:
            star = "*" if call in self.critical else " "
            start, end = (1000 * (call[key] - began) for key in ("start", "end"))
            waited = ""
            if call in self.critical:
                waited = f"   [{1000 * (call['start'] - last):.0f} ms after the one before]"
                last = call["end"]
            lines.append(
                f"{star} {start:7.0f} {end:7.0f} {end - start:5.0f} {call['connection']:4} {call['status']:5}"
                f"  {call['service']:10} {name(call)}{'  REFUSED' if refused(call) else ''}{waited}"
            )
        if ended is not None:
            lines.append(f"  {1000 * (ended - began):7.0f}  the command ended")
        return "\n".join(lines)


def critical_path(calls):
    """Backwards from the call that ended last, each time to the one that ended
    last before this one began: that is what it can have waited for."""
    path = []
    call = max(calls, key=lambda call: call["end"], default=None)
    while call is not None:
        path.append(call)
        before = (other for other in calls if other["end"] <= call["start"])
        call = max(before, key=lambda other: other["end"], default=None)
    return path[::-1]
