"""What docs/TUTORIAL.md has its readers type, and what it says they see.

Blocks of `sh` are commands, and blocks of `text` what the commands before them print; those of
the second terminal have that in their first line. In a text `…` stands for whatever differs, and on
a line of its own for any number of lines.
"""

import re
from dataclasses import dataclass

SECOND = "second terminal"


@dataclass
class Block:
    line: int
    language: str
    second: bool
    body: str


def blocks(text):
    """The page's blocks. One of an unknown kind is a mistake, so that none is passed over.

    >>> [(block.line, block.second, block.body) for block in blocks("# A\\n```sh\\na\\nb\\n```\\n")]
    [(2, False, 'a\\nb\\n')]
    >>> blocks("```bash\\na\\n```\\n")
    Traceback (most recent call last):
    SystemExit: line 1: a block of `bash` isn't understood
    """
    found, open_ = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```") and open_ is None:
            language, _, where = line[3:].partition(" ")
            if language not in ("sh", "text") or where not in ("", SECOND):
                raise SystemExit(f"line {number}: a block of `{line[3:]}` isn't understood")
            open_ = Block(number, language, where == SECOND, "")
        elif line == "```" and open_ is not None:
            found.append(open_)
            open_ = None
        elif open_ is not None:
            open_.body += line + "\n"
    return found


def pattern(body):
    """The expression by which a text finds what was printed."""
    lines = []
    for line in body.splitlines():
        if line == "…":
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            lines.append("[^\n]*?".join(re.escape(part) for part in line.split("…")) + "[^\\S\n]*\n")
    return re.compile("".join(lines))


def shows(printed, body):
    """Whether what was printed is as the text says: from its beginning to its end, but where
    the text itself says that there is more.

    >>> shows("a 12 ms\\nb\\n", "a … ms\\nb\\n"), shows("a 12 ms\\nb\\nc\\n", "a … ms\\nb\\n")
    (True, False)
    >>> shows("x\\ny\\nb", "…\\nb\\n"), shows("b", "…\\nb\\n…\\n"), shows("xb", "…\\nb\\n")
    (True, True, False)
    """
    return pattern(body).fullmatch(printed if printed.endswith("\n") else printed + "\n") is not None
