"""Measures the chat's functions: large rooms, and the room function against one in Python.
README.md says how.

usage: bench.py [--only fan-out,functions] [--rounds N]
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import functions
from service import ROOT, Chat, dynalite
from shared.table import aligned

HERE = pathlib.Path(__file__).resolve().parent
TARGET = ROOT / "target/bench-chat"
RELEASE = ROOT / "target/release"
LOAD = RELEASE / "chat-load"
# Members: seconds to the last one.
SIZES = {1_000: 0.5, 10_000: 3.0}
ROOM_MB = 64
COLD_TIMES, WARM_TIMES = 20, 5


def fan_out(members, rounds):
    with tempfile.TemporaryDirectory() as folder, dynalite() as table:
        folder = pathlib.Path(folder)
        certificate = folder / "sink.pem"
        # One invocation for each thousand, and the sender's.
        extra = f"""
[functions.room]
reserved_concurrency = 16

[functions.room.environment]
SSL_CERT_FILE = "{certificate}"
"""
        with Chat(RELEASE / "deployer", RELEASE, table.address, folder, extra) as chat:
            command = [LOAD, "fan-out", "--cloud", f"http://127.0.0.1:{chat.port}", "--dynamodb", table.address]
            command += ["--certificate", certificate, "--members", str(members), "--rounds", str(rounds)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def in_python():
    with tempfile.TemporaryDirectory() as folder, dynalite() as table:
        with Chat(RELEASE / "deployer", RELEASE, table.address, pathlib.Path(folder)) as chat:
            return functions.measure(chat, table, HERE, RELEASE / "room", TARGET / "python")


def goals(figures):
    rows = [("goal", "", "figure", "met?")]

    def at_most(what, goal, value, form):
        rows.append((what, f"≤ {goal:g}", format(value, form), "yes" if value <= goal else "NO"))

    def at_least(what, goal, value, form):
        rows.append((what, f"≥ {goal:g}", format(value, form), "yes" if value >= goal else "NO"))

    for members, seconds in SIZES.items():
        if found := figures.get(f"fan_out_{members}"):
            at_most(f"{members:,} members, s to the last", seconds, found["p50_ms"] / 1000, ".3f")
            at_most(f"{members:,} members, peak MB of a room process", ROOM_MB, found["room_peak_mb"], ".1f")
    if found := figures.get("functions"):
        cold, table, memory = found["cold_ms"], found["warm_table"], found["warm_memory"]
        at_least("cold start, times as quick as Python", COLD_TIMES, cold["python"] / cold["rust"], ".1f")
        times = table["python"]["p50_ms"] / table["rust"]["p50_ms"]
        at_least("a message with a table, times as quick", WARM_TIMES, times, ".1f")
        times = memory["python"]["p50_ms"] / memory["rust"]["p50_ms"]
        at_least("a message in memory, times as quick", WARM_TIMES, times, ".1f")
    return aligned(rows)


def details(figures):
    parts = []
    sizes = [figures[f"fan_out_{members}"] for members in SIZES if f"fan_out_{members}" in figures]
    if sizes:
        rows = [("fan-out", *(f"{found['members']:,} members" for found in sizes))]
        rows.append(("one post after the other, s", *(f"{it['members'] * it['delay_ms'] / 1000:.0f}" for it in sizes)))
        for name in sizes[0]:
            if name not in ("members", "delay_ms", "rounds"):
                rows.append((name, *(f"{found[name]:g}" for found in sizes)))
        parts.append(aligned(rows))
    if found := figures.get("functions"):
        rows = [("functions", "rust", "python")]
        rows.append(("zip, MB", *(f"{found['zip_mb'][kind]:.2f}" for kind in ("rust", "python"))))
        rows.append(("cold start, ms", *(f"{found['cold_ms'][kind]:.2f}" for kind in ("rust", "python"))))
        for store in ("table", "memory"):
            of = found[f"warm_{store}"]
            rows.append((f"a message, {store}, ms", *(f"{of[kind]['p50_ms']:.2f}" for kind in ("rust", "python"))))
            rows.append((f"memory used, {store}, MB", *(f"{of[kind]['memory_mb']:.0f}" for kind in ("rust", "python"))))
        for store, of in found["processor_ms"].items():
            for where in of["rust"]:
                cells = (f"{of[kind][where]:.2f}" for kind in ("rust", "python"))
                rows.append((f"a message, {store}, processor ms of: {where}", *cells))
        parts.append(aligned(rows))
    return "\n\n".join(parts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="fan-out,functions")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    only, figures = options.only.split(","), {}
    if "fan-out" in only:
        for members in SIZES:
            figures[f"fan_out_{members}"] = fan_out(members, options.rounds)
    if "functions" in only:
        figures["functions"] = in_python()
    print(goals(figures), details(figures), json.dumps(figures), sep="\n\n")


main()
