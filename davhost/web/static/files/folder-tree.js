// A dialog with the tree of folders, to choose one of them.

import * as dav from "./dav.js";
import { ask, row } from "./dialogs.js";
import { button, element, icon, named } from "./elements.js";

const KEYS = {
  ArrowDown: (tree, item) => tree.step(item, 1),
  ArrowUp: (tree, item) => tree.step(item, -1),
  ArrowRight: (tree, item) => tree.expand(item),
  ArrowLeft: (tree, item) => tree.collapse(item),
};

/** Ask for a folder; those at or below *without* cannot be chosen. */
export function askFolder(title, { root, start, without = [], action }) {
  return ask(title, (close) => {
    const main = button(action, { class: "main", on: { click: () => close(tree.chosen) } });
    const tree = new FolderTree(root, without, (href) => {
      main.disabled = href === start || without.includes(href);
    });
    const cancel = button("Cancel", { on: { click: () => close(null) } });
    tree.begin();
    return [tree.box, row(cancel, main)];
  }, "folders");
}

class FolderTree {
  #without;
  #choose;

  constructor(root, without, choose) {
    this.#without = without;
    this.#choose = choose;
    this.box = element("ul", { role: "tree", class: "tree", aria: { label: "Folders" } });
    this.box.append(this.#item("Files", root, 1));
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("click", (event) => this.#click(event));
  }

  begin() {
    const top = this.box.firstElementChild;
    this.#select(top);
    this.expand(top);
  }

  get #items() {
    return [...this.box.querySelectorAll('[role="treeitem"]')].filter((item) => item.checkVisibility());
  }

  step(item, by) {
    const items = this.#items;
    const next = items[items.indexOf(item) + by];
    if (next) this.#select(next, true);
  }

  async expand(item) {
    if (item.getAttribute("aria-expanded") === "true") {
      this.step(item, 1);
      return;
    }
    if (!item.group) await this.#fill(item);
    item.group.hidden = false;
    item.setAttribute("aria-expanded", "true");
  }

  collapse(item) {
    if (item.getAttribute("aria-expanded") === "true") {
      item.group.hidden = true;
      item.setAttribute("aria-expanded", "false");
    } else {
      const above = item.parentElement.closest('[role="treeitem"]');
      if (above) this.#select(above, true);
    }
  }

  async #fill(item) {
    item.group = element("ul", { role: "group" });
    const level = Number(item.getAttribute("aria-level")) + 1;
    try {
      const found = await dav.members(item.href);
      const folders = found.filter((entry) => entry.folder && !entry.hidden && entry.name !== ".davhost" && !this.#without.includes(entry.href));
      folders.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
      item.group.append(...folders.map((entry) => this.#item(entry.name, entry.href, level)));
    } catch (error) {
      item.group.append(element("li", { class: "fault", role: "none" }, error.message));
    }
    item.append(item.group);
  }

  #item(name, href, level) {
    const twist = element("span", { class: "twist", aria: { hidden: "true" } }, icon("forward"));
    const label = element("span", { class: "folder-name" }, icon("folder"), named(name));
    const item = element("li", { role: "treeitem", tabIndex: -1, aria: { level, expanded: "false", selected: "false", label: name } },
      element("span", { class: "line" }, twist, label));
    item.href = href;
    return item;
  }

  #select(item, focus = false) {
    for (const other of this.box.querySelectorAll('[aria-selected="true"]')) {
      other.setAttribute("aria-selected", "false");
      other.tabIndex = -1;
    }
    item.setAttribute("aria-selected", "true");
    item.tabIndex = 0;
    this.chosen = item.href;
    this.#choose(item.href);
    if (focus) item.focus();
  }

  #click(event) {
    const item = event.target.closest('[role="treeitem"]');
    if (!item) return;
    this.#select(item, true);
    const open = item.getAttribute("aria-expanded") === "true";
    if (open && event.target.closest(".twist")) this.collapse(item);
    else if (!open) this.expand(item);
  }

  #key(event) {
    const item = event.target.closest('[role="treeitem"]');
    if (!item || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key](this, item);
  }
}
