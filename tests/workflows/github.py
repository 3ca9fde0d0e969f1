"""Runs jobs of GitHub workflows as their runner would: the `run` steps as they stand in the
files, the actions by stand-ins that do here what they do there.

What isn't known here (an action, a form of expression) fails, rather than being skipped.
"""

import os
import pathlib
import re
import shutil
import subprocess

import yaml


class Failed(Exception):
    """A step that ended badly, with what it printed."""


def evaluate(expression, context):
    """An expression of the few forms that the workflows use: names, texts, == != && ||."""
    tokens = re.findall(r"'[^']*'|&&|\|\||==|!=|[\w.-]+|\S", expression)
    words = {"&&": "and", "||": "or", "==": "==", "!=": "!="}

    def word(token):
        if token in words:
            return words[token]
        if token.startswith("'"):
            return repr(token[1:-1])
        if re.fullmatch(r"[a-z][\w.-]*", token):
            return repr(lookup(token, context))
        raise Failed(f"{expression}: `{token}` isn't understood")

    return eval(" ".join(word(token) for token in tokens), {"__builtins__": {}})


def lookup(name, context):
    value = context
    for part in name.split("."):
        if part not in value:
            raise Failed(f"there is no `{name}` ({part})")
        value = value[part]
    return value


def filled_in(text, context):
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(evaluate(found[1].strip(), context)), str(text))


class Workflow:
    def __init__(self, path):
        self.name = path.name
        self.content = yaml.safe_load(path.read_text())
        self.jobs = self.content["jobs"]


class Runner:
    """What all jobs share: the repository, the tools on their path, and kept artifacts."""

    def __init__(self, root, tools, artifacts, secrets):
        self.root, self.tools, self.artifacts = root, tools, pathlib.Path(artifacts)
        #: What configure-aws-credentials gives the steps after it.
        self.secrets = secrets

    def run(self, workflow, job, event, folder, *, variables, needs=None, source=False):
        """The job's outputs; None where its condition doesn't hold. `source`: it has the
        repository itself, and otherwise what deploys need of it, the stage files."""
        definition = workflow.jobs[job]
        context = {"github": {"event": event, "token": "token", **event}, "vars": variables, "needs": needs or {}}
        context["github"]["repository"] = event["repository"]["full_name"]
        if "if" in definition and not evaluate(definition["if"], context):
            return None
        may = definition.get("permissions", workflow.content.get("permissions", {}))
        steps = Steps(self, may, context, pathlib.Path(folder), source)
        steps.environment |= self.environment(workflow.content, context) | self.environment(definition, context)
        for step in definition["steps"]:
            steps.step(step)
        context["steps"] = steps.outputs
        return {name: filled_in(text, context) for name, text in definition.get("outputs", {}).items()}

    @staticmethod
    def environment(of, context):
        return {name: filled_in(text, context) for name, text in of.get("env", {}).items()}


class Steps:
    def __init__(self, runner, may, context, folder, source):
        self.runner, self.context, self.source = runner, context, source
        self.may = may
        self.folder = runner.root if source else folder
        self.scratch = folder
        self.outputs = {}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = kept | {"PATH": "/usr/bin:/bin", "CI": "true"}

    def step(self, step):
        if "uses" in step:
            self.use(step["uses"].split("@")[0], step.get("with", {}))
        else:
            self.shell(step)

    def use(self, action, options):
        options = {name: filled_in(value, self.context) for name, value in options.items()}
        match action:
            case "actions/checkout":
                if not self.source:
                    shutil.copytree(self.runner.root / "stages", self.folder / "stages")
            case "./.github/actions/deployer":
                path = [str(self.runner.tools)] + ([os.environ["PATH"]] if self.source else [self.environment["PATH"]])
                self.environment["PATH"] = ":".join(path)
            case "actions/upload-artifact":
                self.runner.artifacts.mkdir(exist_ok=True)
                shutil.move(self.folder / options["path"], self.runner.artifacts / options["name"])
            case "actions/download-artifact":
                shutil.copy(self.runner.artifacts / options["name"], self.folder / f"{options['name']}.zip")
            case "aws-actions/configure-aws-credentials":
                if self.may.get("id-token") != "write":
                    raise Failed("the job may not ask for an identity: permissions id-token: write")
                self.environment |= self.runner.secrets | {"AWS_REGION": options["aws-region"]}
            case _:
                raise Failed(f"the action {action} isn't known here")

    def shell(self, step):
        output = self.scratch / "output"
        output.write_text("")
        environment = self.environment | Runner.environment(step, self.context) | {"GITHUB_OUTPUT": str(output)}
        # As the runner starts bash.
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{step.get('name')}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        said = dict(line.split("=", 1) for line in output.read_text().splitlines())
        if "id" in step:
            self.outputs[step["id"]] = {"outputs": said}
