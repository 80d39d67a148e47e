// What is in the folder, what of it is shown, in which order, and what is selected.

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const byName = (a, b) => collator.compare(a.name, b.name);
const KEYS = { name: byName, size: (a, b) => a.size - b.size, modified: (a, b) => a.modified - b.modified };

/** The entry as it was, when nothing of it has changed: its row stays as it is too. */
function unchanged(before, entry) {
  const same = before && Object.keys(entry).every((key) => before[key] === entry[key]);
  return same ? before : entry;
}

/** Tells `change` listeners when what is shown changes, and `select` when what is selected does. */
export class Listing extends EventTarget {
  constructor() {
    super();
    this.href = "/";
    this.entries = new Map();
    this.shown = [];
    this.selection = new Set();
    this.sort = { key: "name", down: false };
    this.words = "";
    this.hidden = 0;
  }

  /** Show the members of another folder, or of the same one read again; `hidden` more are not shown. */
  replace(href, entries, hidden) {
    this.hidden = hidden;
    const same = href === this.href;
    this.href = href;
    const before = this.entries;
    this.entries = new Map(entries.map((entry) => [entry.name, unchanged(before.get(entry.name), entry)]));
    this.selection = new Set(same ? [...this.selection].filter((name) => this.entries.has(name)) : []);
    if (!same) this.words = "";
    this.#arrange();
    this.#tell("select");
  }

  sortBy(key, down) {
    this.sort = { key, down };
    this.#arrange();
  }

  /** Show only what has all these words in its name. */
  filter(words) {
    this.words = words;
    this.#arrange();
  }

  /** The entries that are selected, in the order in which they are shown. */
  get selected() {
    return this.shown.filter((entry) => this.selection.has(entry.name));
  }

  select(names) {
    this.selection = new Set(names);
    this.#tell("select");
  }

  toggle(name) {
    if (!this.selection.delete(name)) this.selection.add(name);
    this.#tell("select");
  }

  #arrange() {
    const words = this.words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const fits = (entry) => words.every((word) => entry.name.toLocaleLowerCase().includes(word));
    const shown = [...this.entries.values()];
    const compare = KEYS[this.sort.key];
    const turn = this.sort.down ? -1 : 1;
    this.shown = (words.length ? shown.filter(fits) : shown).sort(
      (a, b) => b.folder - a.folder || turn * compare(a, b) || byName(a, b),
    );
    this.#tell("change");
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}
