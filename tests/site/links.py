"""Follows every link of a site that lies in a folder: to files, and to places in them.

    links.py FOLDER         those within the site
    EXTERNAL=1 links.py …   those that leave it, too
"""

import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

TIMEOUT_SECONDS = 20
# Pages that mdBook makes of others, whose links are those pages' own, or lead to wherever the
# site is put.
DERIVED = {"print.html", "toc.html", "404.html"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.places = [], set()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        for name in ("href", "src"):
            if attributes.get(name):
                self.links.append(attributes[name])
        for name in ("id", "name"):
            if attributes.get(name):
                self.places.add(attributes[name])


def read(path):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def answers(address):
    request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "links"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        # Some answer no HEAD, or no program; a page that is gone says so.
        return f"{error.code}" if error.code in (404, 410) else None
    except (urllib.error.URLError, OSError) as error:
        return str(error)


def main():
    site = Path(sys.argv[1]).resolve()
    pages = {path: read(path) for path in sorted(site.rglob("*.html")) if path.name not in DERIVED}
    broken, outside, followed = [], {}, 0
    for path, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme in ("http", "https"):
                outside.setdefault(link.split("#")[0], path)
                continue
            if parts.scheme:
                continue
            followed += 1
            target = path
            if parts.path:
                target = (path.parent / urllib.parse.unquote(parts.path)).resolve()
                if target.is_dir():
                    target = target / "index.html"
            name = path.relative_to(site)
            if not target.is_file() or site not in target.parents:
                broken.append(f"{name}: {link}: there is no such file in the site")
            elif parts.fragment and target in pages:
                place = urllib.parse.unquote(parts.fragment)
                if place not in pages[target].places:
                    broken.append(f"{name}: {link}: there is no such place in the page")
    if os.environ.get("EXTERNAL") == "1":
        for link, path in outside.items():
            if why := answers(link):
                broken.append(f"{path.relative_to(site)}: {link}: {why}")
        asked = "asked for"
    else:
        asked = "NOT CHECKED"
    print("\n".join(broken), end="\n" if broken else "")
    print(f"{len(pages)} pages, {followed} links within, {len(outside)} addresses outside ({asked}), {len(broken)} broken")
    if followed < 100:
        sys.exit("so few links: the site isn't what it should be")
    sys.exit(1 if broken else 0)


main()
