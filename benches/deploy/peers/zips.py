"""The functions' zips, for those who don't make them: made before the clock runs."""

import shutil
import zipfile

from ours import CHANGED, FUNCTIONS, change


class Zips:
    def __init__(self, work, root):
        self.folder, self.root = work / "zips", root
        self.binaries = work / "zipped"

    def prepare(self):
        for folder in (self.folder, self.binaries):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        for function in FUNCTIONS:
            shutil.copy(self.root / "target/release" / function, self.binaries / function)
            self.zip(function)

    def change_code(self, text):
        change(self.binaries / CHANGED, text)
        self.zip(CHANGED)

    def zip(self, function):
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o100755 << 16
        with zipfile.ZipFile(self.folder / f"{function}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(entry, (self.binaries / function).read_bytes(), zipfile.ZIP_DEFLATED)
