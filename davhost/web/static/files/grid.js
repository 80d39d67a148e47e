// The rows of the listing, as many as can be seen, and the keys that move among them.
//
// Rows are placed by hand, so that ten thousand cost as much as fifty. One row
// takes part in the order of Tab, and it stays in the page when it is scrolled
// out of sight: focus is never lost to scrolling.

import { element, icon, named } from "./elements.js";
import * as words from "./words.js";

/** Up to so many rows are all in the page, so that the browser's own search finds them. */
const ALL_ROWS = 300;
const SPARE_ROWS = 12;

export class Grid extends EventTarget {
  #listing;
  #body;
  #rows = new Map();
  #typeOf;
  #cursor = null;
  #anchor = null;
  #picture;

  /** `picture(entry)` makes a picture of an entry, or null. */
  constructor(table, listing, typeOf, picture = () => null) {
    super();
    this.table = table;
    this.#listing = listing;
    this.#typeOf = typeOf;
    this.#picture = picture;
    this.#body = table.tBodies[0];
    this.#dress();
    listing.addEventListener("change", () => this.#changed());
    listing.addEventListener("select", () => this.#showSelection());
    addEventListener("scroll", () => this.#draw(), { passive: true });
    addEventListener("resize", () => this.#draw());
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("click", (event) => this.#click(event));
    this.#body.addEventListener("dblclick", (event) => this.#doubleClick(event));
    this.#body.addEventListener("contextmenu", (event) => this.#menu(event));
    this.#body.addEventListener("focusin", (event) => this.#focused(event));
  }

  /** The entry that the keys are on; null when nothing is shown. */
  get cursor() {
    return this.#listing.entries.get(this.#cursor) ?? null;
  }

  /** The entry whose row holds *node*; null outside of rows. */
  entryAt(node) {
    const row = node instanceof Element ? node.closest("tbody > tr") : null;
    return row ? (this.#listing.entries.get(row.entry?.name) ?? null) : null;
  }

  /** The row of an entry, if it is in the page. */
  rowOf(name) {
    return this.#rows.get(name) ?? null;
  }

  /** Put the keys on an entry, and the focus with them. */
  focus(name = this.#cursor) {
    const shown = this.#listing.shown;
    const at = shown.findIndex((entry) => entry.name === name);
    const entry = shown[at] ?? shown[0];
    if (!entry) {
      this.table.focus();
      return;
    }
    this.#cursor = entry.name;
    this.#reveal(Math.max(at, 0));
    this.#draw();
    this.#rows.get(entry.name)?.focus({ preventScroll: true });
  }

  /** Where the keys go when these entries are gone: on what follows them. */
  after(names) {
    const gone = new Set(names);
    const shown = this.#listing.shown;
    const first = shown.findIndex((entry) => gone.has(entry.name));
    const next = shown.slice(first).find((entry) => !gone.has(entry.name));
    return (next ?? shown.slice(0, Math.max(first, 0)).at(-1))?.name ?? null;
  }

  #dress() {
    this.table.classList.add("live");
    this.table.tabIndex = -1;
    this.table.setAttribute("role", "grid");
    this.table.setAttribute("aria-multiselectable", "true");
    this.table.tHead.setAttribute("role", "rowgroup");
    this.#body.setAttribute("role", "rowgroup");
    const head = this.table.tHead.rows[0];
    head.setAttribute("role", "row");
    head.setAttribute("aria-rowindex", "1");
    for (const cell of head.cells) cell.setAttribute("role", cell.tagName === "TH" ? "columnheader" : "gridcell");
    this.#body.replaceChildren();
  }

  #changed() {
    const shown = this.#listing.shown;
    const kept = new Map();
    for (const entry of shown) {
      const row = this.#rows.get(entry.name);
      if (row?.entry === entry) kept.set(entry.name, row);
    }
    const focused = this.#body.contains(document.activeElement);
    for (const [name, row] of this.#rows) if (kept.get(name) !== row) row.remove();
    this.#rows = kept;
    if (!shown.some((entry) => entry.name === this.#cursor)) this.#cursor = shown[0]?.name ?? null;
    this.table.setAttribute("aria-rowcount", String(shown.length + 1));
    this.#draw();
    // Not `focus`: who scrolled somewhere else stays there.
    if (focused && !this.#body.contains(document.activeElement)) this.#rows.get(this.#cursor)?.focus({ preventScroll: true });
  }

  #rowHeight() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    return parseFloat(getComputedStyle(this.table).getPropertyValue("--row")) * rem;
  }

  /** Put the rows into the page that can be seen now, in their order. */
  #draw() {
    const shown = this.#listing.shown;
    const height = this.#rowHeight();
    this.#body.style.height = `${shown.length * height}px`;
    const wanted = this.#window(height).map((index) => this.#row(shown[index], index, height));
    const keep = new Set(wanted);
    for (const row of [...this.#body.children]) if (!keep.has(row)) row.remove();
    wanted.forEach((row, place) => {
      const there = this.#body.children[place] ?? null;
      if (there !== row) this.#body.insertBefore(row, there);
    });
  }

  #window(height) {
    const total = this.#listing.shown.length;
    const top = this.#body.getBoundingClientRect().top;
    const all = total <= ALL_ROWS;
    const first = all ? 0 : Math.max(0, Math.floor(-top / height) - SPARE_ROWS);
    const last = all ? total : Math.min(total, Math.ceil((innerHeight - top) / height) + SPARE_ROWS);
    const indexes = [];
    for (let index = first; index < last; index += 1) indexes.push(index);
    const cursor = this.#listing.shown.findIndex((entry) => entry.name === this.#cursor);
    if (cursor >= 0 && cursor < first) indexes.unshift(cursor);
    if (cursor >= Math.max(first, last)) indexes.push(cursor);
    return indexes;
  }

  #row(entry, index, height) {
    let row = this.#rows.get(entry.name);
    if (!row) {
      row = this.#make(entry);
      this.#rows.set(entry.name, row);
    }
    row.style.top = `${index * height}px`;
    row.setAttribute("aria-rowindex", String(index + 2));
    this.#mark(row, entry);
    return row;
  }

  #mark(row, entry) {
    const selected = this.#listing.selection.has(entry.name);
    row.setAttribute("aria-selected", String(selected));
    row.tabIndex = entry.name === this.#cursor ? 0 : -1;
    row.querySelector("input").checked = selected;
  }

  #make(entry) {
    const check = element("input", { type: "checkbox", tabIndex: -1, aria: { label: `Select ${entry.name}` } });
    const link = element("a", { href: entry.href, tabIndex: -1, title: entry.name, draggable: false }, named(entry.name));
    const more = element("button", { type: "button", tabIndex: -1, class: "quiet more", aria: { label: `More for ${entry.name}`, haspopup: "menu" } }, icon("more"));
    const cell = (names, ...children) => element("td", { role: "gridcell", class: names }, ...children);
    const when = entry.modified ? element("time", { dateTime: new Date(entry.modified).toISOString() }, words.moment(entry.modified)) : null;
    const row = element("tr", { role: "row", draggable: true },
      cell("check", check),
      cell("name", this.#picture(entry) ?? icon(this.#typeOf(entry)), link),
      cell("size", entry.folder ? null : words.size(entry.size)),
      cell("modified", when),
      cell("more", more));
    row.entry = entry;
    return row;
  }

  #showSelection() {
    for (const row of this.#body.children) this.#mark(row, row.entry);
  }

  #reveal(index) {
    const height = this.#rowHeight();
    const head = this.table.tHead.offsetHeight + parseFloat(getComputedStyle(this.table.tHead).top || "0");
    const top = this.#body.getBoundingClientRect().top + index * height;
    const below = top + height * 1.5 - innerHeight;
    if (top < head) scrollBy(0, top - head);
    else if (below > 0) scrollBy(0, below);
  }

  #click(event) {
    const entry = this.entryAt(event.target);
    if (!entry) return;
    if (event.target.closest("button.more")) {
      this.#ask("menu", entry, { at: event.target.closest("button") });
      return;
    }
    if (event.target.closest("a") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.#ask("open", entry);
      return;
    }
    if (event.shiftKey) {
      event.preventDefault();
      this.#extend(entry.name);
    } else if (event.target.matches("input") || event.ctrlKey || event.metaKey) {
      this.#listing.toggle(entry.name);
      this.#anchor = entry.name;
      if (event.target.closest("a")) event.preventDefault();
    } else {
      this.#listing.select([entry.name]);
      this.#anchor = entry.name;
    }
    this.focus(entry.name);
  }

  #doubleClick(event) {
    const entry = this.entryAt(event.target);
    if (entry && !event.target.closest("input, button, a")) this.#ask("open", entry);
  }

  #menu(event) {
    const entry = this.entryAt(event.target);
    if (!entry) return;
    event.preventDefault();
    const place = event.clientX || event.clientY ? { x: event.clientX, y: event.clientY } : null;
    this.#ask("menu", entry, { at: this.#rows.get(entry.name), place });
  }

  #focused(event) {
    const row = event.target.closest("tr");
    if (!row || row.entry.name === this.#cursor) return;
    this.#cursor = row.entry.name;
    this.#showSelection();
  }

  #extend(name) {
    const names = this.#listing.shown.map((entry) => entry.name);
    const from = Math.max(0, names.indexOf(this.#anchor ?? this.#cursor));
    const to = names.indexOf(name);
    this.#listing.select(names.slice(Math.min(from, to), Math.max(from, to) + 1));
  }

  #key(event) {
    const step = this.#step(event.key);
    if (step !== null && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      this.#move(step, event.shiftKey);
    } else if (event.key === " " && event.target.matches("tr")) {
      event.preventDefault();
      this.#listing.toggle(this.#cursor);
      this.#anchor = this.#cursor;
    } else if (event.key === "Enter" && event.target.matches("tr")) {
      event.preventDefault();
      this.#ask("open", this.cursor);
    }
  }

  #step(key) {
    const page = Math.max(1, Math.floor(innerHeight / this.#rowHeight()) - 3);
    const total = this.#listing.shown.length;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -total, End: total };
    return steps[key] ?? null;
  }

  #move(step, extends_) {
    const shown = this.#listing.shown;
    if (!shown.length) return;
    const at = shown.findIndex((entry) => entry.name === this.#cursor);
    const to = shown[Math.min(shown.length - 1, Math.max(0, at + step))];
    this.#anchor = extends_ ? (this.#anchor ?? this.#cursor) : null;
    if (extends_) this.#extend(to.name);
    this.focus(to.name);
  }

  #ask(what, entry, more = {}) {
    this.dispatchEvent(new CustomEvent(what, { detail: { entry, ...more } }));
  }
}
