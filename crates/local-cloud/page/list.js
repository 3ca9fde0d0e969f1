// A list of any length of which only what is seen has elements; they are used again.
//
// Rows are all of one height. `offset` is how many items left at the front so far: with it
// a row that stays in sight keeps its element when older ones go.

import { nextFrame } from "./frames.js";
import { setText } from "./dom.js";

const SPARE = 6;

export class List {
  /** `make()` gives an element, `fill(element, item)` writes an item into it. */
  constructor({ scroller, space, rowHeight, headHeight, make, fill, onFollow, onOpen }) {
    Object.assign(this, { scroller, space, rowHeight, headHeight, make, fill, onFollow, onOpen });
    this.items = [];
    this.offset = 0;
    this.pool = [];
    this.active = null;
    this.following = true;
    this.draw = this.draw.bind(this);
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    scroller.addEventListener("keydown", (event) => this.key(event));
    space.addEventListener("click", (event) => {
      const row = event.target.closest("[role=row]");
      if (!row) return;
      this.activate(row.item);
      onOpen(row.item);
    });
    new ResizeObserver(() => {
      this.height = 0;
      this.change();
    }).observe(scroller);
  }

  /** Other items, all of them. */
  set(items, offset = 0) {
    this.items = items;
    this.offset = offset;
    if (this.active && !items.includes(this.active)) this.active = null;
    this.change();
  }

  /** So many have gone at the front: what is looked at stays where it is. */
  dropped(count) {
    if (!count) return;
    this.offset += count;
    this.shift = (this.shift ?? 0) + count;
    if (this.active && !this.items.includes(this.active)) this.active = null;
  }

  change() {
    nextFrame(this.draw);
  }

  follow(following) {
    if (this.following !== following) {
      this.following = following;
      this.onFollow(following);
    }
    if (following) this.change();
  }

  scrolled() {
    const { scroller } = this;
    // Own scrolling isn't the reader's.
    if (scroller.scrollTop !== this.scrolledTo) {
      this.follow(scroller.scrollTop + scroller.clientHeight >= this.total() - this.rowHeight);
    }
    this.change();
  }

  total() {
    return this.headHeight + this.items.length * this.rowHeight;
  }

  scrollTo(top) {
    this.scroller.scrollTop = top;
    this.scrolledTo = this.scroller.scrollTop;
  }

  draw() {
    const { scroller, space, rowHeight, items } = this;
    this.height ||= scroller.clientHeight;
    if (!this.height) return;
    if (this.shown !== items.length) {
      this.shown = items.length;
      space.style.height = `${items.length * rowHeight}px`;
      scroller.setAttribute("aria-rowcount", String(items.length + 1));
    }
    if (this.following) this.scrollTo(Math.max(0, this.total() - this.height));
    else if (this.shift) this.scrollTo(Math.max(0, scroller.scrollTop - this.shift * rowHeight));
    this.shift = 0;
    const seen = Math.ceil(this.height / rowHeight) + 2 * SPARE;
    while (this.pool.length < seen) {
      const element = this.make();
      element.id = `row-${this.pool.length}`;
      this.pool.push(element);
      space.append(element);
    }
    const first = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - SPARE);
    const last = Math.min(items.length, first + this.pool.length);
    const used = new Set();
    let active = null;
    for (let n = first; n < last; n += 1) {
      const element = this.pool[(this.offset + n) % this.pool.length];
      used.add(element);
      if (element.item !== items[n]) {
        element.item = items[n];
        this.fill(element, items[n]);
      }
      if (element.at !== n) {
        element.at = n;
        element.style.transform = `translateY(${n * rowHeight}px)`;
        element.setAttribute("aria-rowindex", String(n + 2));
      }
      element.hidden = false;
      const chosen = items[n] === this.active;
      if (chosen) active = element.id;
      if (element.chosen !== chosen) {
        element.chosen = chosen;
        element.setAttribute("aria-selected", String(chosen));
      }
    }
    for (const element of this.pool) if (!used.has(element)) element.hidden = true;
    if (active) scroller.setAttribute("aria-activedescendant", active);
    else scroller.removeAttribute("aria-activedescendant");
  }

  activate(item) {
    this.active = item;
    this.change();
  }

  /** Makes the item with this number the active one, and brings it into sight. */
  go(n) {
    const at = Math.max(0, Math.min(this.items.length - 1, n));
    if (!this.items[at]) return;
    this.activate(this.items[at]);
    const { scroller, rowHeight, headHeight } = this;
    const top = at * rowHeight;
    const last = at === this.items.length - 1;
    this.follow(last);
    if (last) return;
    if (top < scroller.scrollTop) this.scrollTo(top);
    else if (top + rowHeight + headHeight > scroller.scrollTop + scroller.clientHeight) {
      this.scrollTo(top + rowHeight + headHeight - scroller.clientHeight);
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((this.height ?? 0) / this.rowHeight) - 2);
    const now = this.active ? this.items.indexOf(this.active) : -1;
    const from = now < 0 ? this.items.length : now;
    const to = {
      ArrowUp: from - 1, ArrowDown: from + 1, PageUp: from - page, PageDown: from + page, Home: 0, End: this.items.length - 1,
    }[event.key];
    if (to !== undefined) {
      this.go(to);
    } else if (event.key === "Enter" && this.active) {
      this.onOpen(this.active);
    } else {
      return;
    }
    event.preventDefault();
  }
}

/** A row of cells, each a gridcell with its class. */
export function rowElement(cells) {
  const row = document.createElement("div");
  row.className = "row";
  row.setAttribute("role", "row");
  row.cells = cells.map((name) => {
    const cell = document.createElement("span");
    cell.className = name;
    cell.setAttribute("role", "gridcell");
    return cell;
  });
  row.append(...row.cells);
  return row;
}

export function fillCells(row, texts) {
  row.cells.forEach((cell, n) => setText(cell, texts[n]));
}
