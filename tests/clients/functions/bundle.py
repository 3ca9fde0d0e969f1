"""Zips of functions: a handler, and a `bootstrap` that starts its language's runtime."""

import io
import pathlib
import shutil
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
# Python's runtime is AWS's own, from where the suite has installed it.
PYTHON = f'#!/bin/sh\nexec {sys.executable} -m awslambdaric "$_HANDLER"\n'
NODE = f'#!/bin/sh\nNODE_PATH={HERE.parent / "node_modules"} exec {shutil.which("node")} runtime.js "$_HANDLER"\n'
CONTENTS = {
    "python": (PYTHON, ["handler.py"]),
    "node": (NODE, ["handler.js", "runtime.js"]),
}
HANDLER = "handler.handle"


def bundle(language):
    bootstrap, files = CONTENTS[language]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o100755 << 16
        archive.writestr(info, bootstrap)
        for name in files:
            archive.write(HERE / language / name, name)
    return zipped.getvalue()
