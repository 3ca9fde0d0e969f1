"""The service that is shipped, as the benches deploy it."""

import shutil

IN_MEMORY = """
[tables.rooms]
enabled = false

[functions.room]
state = "memory"
reserved_concurrency = 1
invokes_itself = false
"""


def copy_in_memory(root, project):
    """Its stage files, with alpha's rooms in memory, as local's are: what is measured
    beside it has no table."""
    shutil.copytree(root / "stages", project / "stages")
    with (project / "stages/alpha.toml").open("a") as stage:
        stage.write(IN_MEMORY)
