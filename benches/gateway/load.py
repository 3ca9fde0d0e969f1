"""The load client's commands as measurements of a gateway."""

import json
import subprocess

FAN_OUTS = {"fan_out_100": (100, 1, 20), "fan_out_500": (500, 4, 10)}  # members, rooms, rounds
ECHOES = {"echo_1": 1, "echo_50": 50}  # connections
POSTS_ROUNDS = 20


class Load:
    def __init__(self, binary, seconds):
        self.binary, self.seconds = binary, seconds

    def measures(self):
        """(what, measurement of (gateway, url)), in the order of measuring."""
        # First, while the gateway's memory is as it starts.
        yield "hold", self.hold
        yield "connects", self.connects
        for what, connections in ECHOES.items():
            yield what, lambda gateway, url, n=connections: self.echo(url, n)
        for what, (members, rooms, rounds) in FAN_OUTS.items():
            yield what, lambda gateway, url, sizes=(members, rooms, rounds): self.fan_out(url, *sizes)

    def command(self, *arguments):
        command = [str(self.binary), *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)

    def connects(self, gateway, url):
        return self.command("connects", "--url", url, "--connections", gateway.connects)

    def echo(self, url, connections):
        return self.command("echo", "--url", url, "--connections", connections, "--seconds", self.seconds)

    def fan_out(self, url, members, rooms, rounds):
        sizes = ("--members", members, "--rooms", rooms, "--rounds", rounds)
        return self.command("fan-out", "--url", url, *sizes)

    def hold(self, gateway, url):
        """Memory is looked at before, and when all are open; then all are asked whether
        they still are."""
        server, connections = gateway.server, gateway.held
        # What the first connections load stays.
        self.command("connects", "--url", url, "--connections", 100)
        before = server.own_mb()
        command = [str(self.binary), "hold", "--url", url, "--connections", str(connections)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as process:
            line = process.stdout.readline()
            after = server.own_mb()
            rest, complaint = process.communicate("\n")
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, command, line + rest, complaint)
        held, alive = json.loads(line), json.loads(rest)
        return {
            "held": held["held"],
            "alive": alive["alive"],
            "refused": held["refused"],
            "kib_each": round((after - before) * 1024 / max(1, held["held"]), 2),
            "mb": round(after, 1),
        }

    def bare(self, what):
        """The client's own ceiling for the same thing, if it has one."""
        if what in ECHOES:
            with Bare(self.binary, "echo-server") as port:
                return self.echo(f"ws://127.0.0.1:{port}", ECHOES[what])
        if what in FAN_OUTS:
            members, rooms, _ = FAN_OUTS[what]
            with Bare(self.binary, "http-sink") as port:
                url = f"http://127.0.0.1:{port}"
                sizes = ("--members", members // rooms, "--rounds", POSTS_ROUNDS * rooms)
                return self.command("posts", "--url", url, *sizes)
        return None


class Bare:
    """A server of the load client's, which says its port first."""

    def __init__(self, binary, command):
        self.command = [str(binary), command]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        return json.loads(self.process.stdout.readline())["port"]

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
