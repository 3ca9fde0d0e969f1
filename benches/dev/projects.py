"""What is edited: a function without dependencies, and the shipped chat. Copies, so that
nobody's own files change."""

import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = """[package]
name = "tiny"
version = "0.1.0"
edition = "2024"
[workspace]
"""
SERVICE = """service = "tiny"
[functions.tiny]
[routes]
"$default" = "tiny"
"""


class Project:
    def __init__(self, folder):
        self.folder = folder
        self.file = folder / self.edited
        self.code = None

    def save(self, word):
        """Saves other code, as an editor does; its answer is told from all others by `word`."""
        self.code = self.code or self.file.read_text()
        if self.code.count(self.place) != 1:
            raise RuntimeError(f"{self.edited} has changed: where is {self.place}?")
        beside = self.file.with_name("saving.tmp")
        beside.write_text(self.code.replace(self.place, self.place_with.format(word=word)))
        beside.rename(self.file)


class Tiny(Project):
    name = "tiny"
    edited = "src/main.rs"
    place = 'const WORD: &str = "one";'
    place_with = 'const WORD: &str = "{word}";'
    asked = "hi"

    def make(self):
        for path, text in [
            ("Cargo.toml", TINY),
            ("src/main.rs", (ROOT / "crates/testkit/fixtures/answering.rs").read_text()),
            ("stages/service.toml", SERVICE),
            ("stages/local.toml", 'target = "local"\n'),
        ]:
            path = self.folder / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return {}


class Chat(Project):
    """The room, which is the largest of its functions."""

    name = "chat"
    edited = "functions/room/src/refusal.rs"
    place = "In order to send message room to {0}, join first."
    place_with = "In order to send message room to {{0}}, join first. {word}"
    asked = '{"action":"send","room":"nobodys","msg":"x"}'

    def make(self):
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
        for path in listed.stdout.splitlines():
            source, copy = ROOT / path, self.folder / path
            if source.is_file() and not path.startswith("tests/"):
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy)
        # What others have built of its dependencies.
        return {"CARGO_TARGET_DIR": str(ROOT / "target")}


ALL = [Tiny, Chat]
