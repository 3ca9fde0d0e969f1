"""Starts the chat with a table on a local cloud, and has the load client prove it.

usage: proof.py DEPLOYER FUNCTIONS_DIR CHAT_LOAD [chat-load's options]
"""

import pathlib
import subprocess
import sys
import tempfile

from service import Chat, dynalite


def main():
    deployer, functions, load, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, dynalite() as table:
        environments = "\n[functions.room]\nreserved_concurrency = 8\n"
        with Chat(deployer, functions, table.address, pathlib.Path(folder), environments) as chat:
            code = subprocess.run([load, "proof", "--url", chat.url, *options]).returncode
    sys.exit(code)


main()
