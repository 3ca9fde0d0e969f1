"""Figures to tables: what was to be reached, and what all gateways did."""

from shared.table import aligned

# Of ours to serverless-offline's in the same run: at least, or at most.
PEER = "serverless-offline"
READY_S = 0.1
IDLE_MB = 25
HELD = 10_000
HELD_KIB = 16
FAN_OUT_TIMES = 10
FAN_OUT_OF_BARE = 0.7
ROWS = [
    ("ready, s", "ready_s", None, ".3f"),
    ("ready with a kept account, s", "kept_ready_s", None, ".3f"),
    ("idle, MB", "idle_mb", None, ".1f"),
    ("with functions, after all of it, MB", "busy_tree_mb", None, ".1f"),
    ("connects/s, with $connect", "connects", "per_second", ",.0f"),
    ("echo at 1 connection, p50 ms", "echo_1", "p50_ms", ".3f"),
    ("echo at 1 connection, p99 ms", "echo_1", "p99_ms", ".3f"),
    ("echo at 50 connections, messages/s", "echo_50", "per_second", ",.0f"),
    ("echo at 50 connections, p99 ms", "echo_50", "p99_ms", ".2f"),
    ("fan-out to 100, deliveries/s", "fan_out_100", "per_second", ",.0f"),
    ("fan-out to 100, ms to last", "fan_out_100", "to_last_p50_ms", ".1f"),
    ("fan-out to 500, deliveries/s", "fan_out_500", "per_second", ",.0f"),
    ("fan-out to 500, ms to last", "fan_out_500", "to_last_p50_ms", ".1f"),
    ("held idle connections", "hold", "held", ",.0f"),
    ("held, KiB each", "hold", "kib_each", ".1f"),
]


def table(gateways):
    parts = [goals(gateways), figures(gateways)]
    return "\n\n".join(part for part in parts if part)


def figure(gateways, name, measure, key=None):
    found = gateways.get(name)
    found = found.get(measure) if isinstance(found, dict) else None
    return found.get(key) if key and isinstance(found, dict) else found


def goals(gateways):
    rows = [("goal", "", "figure", "met?")]

    def row(what, bound, value, met):
        rows.append((what, bound, f"{value:.3g}", "yes" if met else "NO"))

    def at_least(what, goal, value):
        row(what, f"≥ {goal:.4g}", value, value >= goal)

    def at_most(what, goal, value):
        row(what, f"≤ {goal:.4g}", value, value <= goal)

    def ratio(measure, key):
        ours, peer = figure(gateways, "ours", measure, key), figure(gateways, PEER, measure, key)
        return ours / peer if ours and peer else None

    if (times := ratio("connects", "per_second")) is not None:
        at_least(f"connects/s / {PEER}", 3, times)
    if (times := ratio("echo_1", "p50_ms")) is not None:
        at_most(f"echo p50 at 1 / {PEER}", 0.4, times)
    if (times := ratio("echo_50", "per_second")) is not None:
        at_least(f"echo throughput at 50 / {PEER}", 8, times)
    for size in (100, 500):
        measure = f"fan_out_{size}"
        ours = figure(gateways, "ours", measure, "per_second")
        peer = figure(gateways, PEER, measure, "per_second")
        bare = figure(gateways, "bare", measure, "per_second")
        bounds = [(peer * FAN_OUT_TIMES, f"{FAN_OUT_TIMES} × {PEER}")] if peer else []
        bounds += [(bare * FAN_OUT_OF_BARE, f"{FAN_OUT_OF_BARE:.0%} of bare posts")] if bare else []
        if ours and bounds:
            goal, which = min(bounds)
            at_least(f"fan-out to {size}, deliveries/s ({which})", goal, ours)
    if (held := figure(gateways, "ours", "hold", "alive")) is not None:
        at_least("idle connections held", HELD, held)
        at_most("KiB each", HELD_KIB, figure(gateways, "ours", "hold", "kib_each"))
    if (ready := figure(gateways, "ours", "ready_s")) is not None:
        at_most("ready, s", READY_S, ready)
        at_most("idle, MB", IDLE_MB, figure(gateways, "ours", "idle_mb"))
    shares(gateways, rows)
    return aligned(rows) if len(rows) > 1 else ""


def shares(gateways, rows):
    """Of the client's own ceiling; nothing was to be reached here."""
    for what, measure in (("echo throughput at 50", "echo_50"), ("fan-out to 100", "fan_out_100"), ("fan-out to 500", "fan_out_500")):
        ours = figure(gateways, "ours", measure, "per_second")
        bare = figure(gateways, "bare", measure, "per_second")
        if ours and bare:
            rows.append((f"  {what} / bare", "", f"{ours / bare:.1%}", ""))


def figures(gateways):
    names = list(gateways)
    rows = [("", *names)]
    for what, measure, key, form in ROWS:
        values = [figure(gateways, name, measure, key) for name in names]
        rows.append((what, *("" if value is None else format(value, form) for value in values)))
    lines = [aligned(rows)]
    for name, found in gateways.items():
        found = found if isinstance(found, str) else found.get("failed")
        lines += [f"{name}: {found.splitlines()[0]}"] if found else []
    return "\n".join(lines)
