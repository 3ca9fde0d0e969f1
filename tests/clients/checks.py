"""One line a check; failures don't hold up what doesn't build on them."""

import contextlib
import sys
import time
import traceback


class NotChecked(Exception):
    """This machine lacks what the check needs."""


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, 0

    @contextlib.contextmanager
    def check(self, name):
        began = time.monotonic()
        try:
            yield
        except NotChecked as reason:
            print(f"NOT CHECKED: {name}: {reason}", flush=True)
        except Exception as error:  # noqa: BLE001, each check is told apart
            self.failed += 1
            print(f"FAILED {name}: {error}", flush=True)
            traceback.print_exc(file=sys.stderr)
        else:
            self.passed += 1
            print(f"ok {name} ({time.monotonic() - began:.1f} s)", flush=True)
