"""Figures to tables: what was to be reached, and what all tools took."""

from shared.table import aligned
from stages import GOAL, NO_OP_SECONDS

# Ours to boto3 in the ideal order, wall time of the whole command.
RATIOS = {"first": 0.65, "no_op": 0.35, "code": 0.5, "down": 0.6}
# Of ours on the local cloud, which answers at once: nothing but the delay counts.
AT_MOST = [
    ("first: calls one after the other", "first", "trips", 9),
    ("first: calls", "first", "calls", 32),
    ("no-op: calls one after the other", "no_op", "trips", 3),
]
OVER_PATH = 1.3
MEMORY_MB = 40
WORDS = {"first": "first", "no_op": "no-op", "code": "one function's code", "down": "down", "plan": "plan"}


def table(figures):
    parts = [goals(figures), walls(figures.get("ministack"), "ministack"), walls(figures.get("local"), "the local cloud")]
    parts.append(walls(figures.get("realism"), "the local cloud with AWS's quotas, 409s and delays"))
    parts.append(growth(figures.get("growth")))
    parts.append(stages(figures))
    return "\n\n".join(part for part in parts if part)


def goals(figures):
    rows = [("goal", "at most", "figure", "ratio to goal", "met?")]

    def row(what, goal, figure):
        rows.append((what, f"{goal:g}", f"{figure:.2f}", f"{figure / goal:.2f}", "yes" if figure <= goal else "NO"))

    ours, ideal = (measured(figures.get("ministack"), name) for name in ("deployer", "boto3 ideal"))
    if ours and ideal:
        for what, goal in RATIOS.items():
            row(f"{WORDS[what]} / boto3 ideal", goal, ours[what]["seconds"] / ideal[what]["seconds"])
        for what, goal in RATIOS.items():
            if what != "down" and "cargo_s" in figures:
                with_cargo = ours[what]["seconds"] + figures["cargo_s"]
                row(f"  {WORDS[what]}, with cargo's check", goal, with_cargo / ideal[what]["seconds"])
        for what, goal in RATIOS.items():
            row(f"  {WORDS[what]}, boto3's start not counted", goal, ours[what]["seconds"] / ideal[what]["work_s"])
    if local := measured(figures.get("local"), "deployer"):
        for what, verb, key, goal in AT_MOST:
            row(what, goal, local[verb][key])
        for verb, found in local.items():
            row(f"{WORDS[verb]}: wall / its calls' critical path", OVER_PATH, found["seconds"] / found["path_s"])
        row("peak memory, MB", MEMORY_MB, max(found["peak_mb"] for found in local.values()))
    return aligned(rows) if len(rows) > 1 else ""


def measured(part, name):
    found = (part or {}).get(name)
    return found if isinstance(found, dict) else None


def walls(part, where):
    if not part:
        return ""
    rows = [(f"on {where}", "s", "cpu s", "calls", "in flight", "trips", "path s", "connections", "refused", "MB", "MB, tree")]
    keys = ("cpu_s", "calls", "in_flight", "trips", "path_s", "connections", "refused", "peak_mb", "tree_mb")
    for name, found in part.items():
        if isinstance(found, str):
            rows.append((name, found.splitlines()[0][:80], *[""] * 9))
            continue
        for what, figures in found.items():
            rows.append((f"{name}: {WORDS[what]}", f"{figures['seconds']:.2f}", *(f"{figures[key]:g}" for key in keys)))
    return aligned(rows)


def stages(figures):
    if "stages" not in figures:
        return ""
    goals = [("goal", "at most", "figure", "met?")]

    def row(what, goal, figure):
        goals.append((what, f"{goal:g}", f"{figure:.2f}", "yes" if figure <= goal else "NO"))

    row("an up with nothing to do, own s", NO_OP_SECONDS, figures["no_op_s"])
    rows = [("", "s", "quotas' bound", "of", "s / bound", "calls", "refused", "MB")]
    keys = ("seconds", "quota_s", "tightest", "over_bound", "calls", "refused", "peak_mb")
    for size, verbs in figures["stages"].items():
        for verb, found in verbs.items():
            rows.append((f"{verb} of {size} stages", *(str(found[key]) for key in keys)))
            if found["over_bound"]:
                row(f"{verb} of {size} stages, s / quotas' bound", GOAL, found["over_bound"])
    return "\n\n".join((aligned(goals), f"cargo's look at what is fresh: {figures['cargo_s']:.2f} s", aligned(rows)))


def growth(part):
    if not part:
        return ""
    keys = ("seconds", "quota_s", "tightest", "role_s", "serial_s", "over_bound", "calls", "refused", "peak_mb")
    titles = ("s", "quotas' bound", "of", "role known", "serial bound", "s / bound", "calls", "refused", "MB")
    rows = [("first up of", *titles)]
    for kind, sizes in part.items():
        for size, found in sizes.items():
            values = (str(found.get(key, "failed" if key == "seconds" else "")) for key in keys)
            rows.append((f"{size} {kind}", *values))
    return aligned(rows)
