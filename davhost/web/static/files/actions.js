// What can be done with entries, and how it is undone.

import { ask } from "../page.js";
import * as dav from "./dav.js";
import { askName, askTaken } from "./dialogs.js";
import { element } from "./elements.js";
import { askFolder } from "./folder-tree.js";
import { say } from "./said.js";
import { count, marked } from "./words.js";

const thing = (entries) => (entries.length === 1 ? `“${entries[0].name}”` : count(entries.length, "item"));

export class Actions {
  #listing;
  #grid;
  #place;
  #room;
  #root;
  #pages;
  #fault = "";

  constructor({ listing, grid, place, room, root, pages }) {
    this.#listing = listing;
    this.#grid = grid;
    this.#place = place;
    this.#room = room;
    this.#root = root;
    this.#pages = pages;
  }

  /** What is selected, or else what the keys are on. */
  get targets() {
    const selected = this.#listing.selected;
    if (selected.length) return selected;
    return this.#grid.cursor ? [this.#grid.cursor] : [];
  }

  async newFolder() {
    const parent = this.#place.href;
    const name = await askName("New folder", {
      value: "",
      action: "Make folder",
      check: (wanted) => this.#taken(wanted),
      perform: (wanted) => dav.makeCollection(dav.memberHref(parent, wanted, true)),
    });
    if (name) await this.#changed(`The folder “${name}” was made.`, { focus: name });
  }

  async rename(entry) {
    const parent = dav.parentOf(entry.href);
    const to = (name) => dav.memberHref(parent, name, entry.folder);
    const name = await askName("Rename", {
      value: entry.name,
      action: "Rename",
      check: (wanted) => this.#taken(wanted),
      perform: (wanted) => (wanted === entry.name ? null : dav.transfer("MOVE", entry.href, to(wanted))),
    });
    if (!name || name === entry.name) {
      this.#grid.focus(entry.name);
      return;
    }
    const undo = () => this.#undo(() => dav.transfer("MOVE", to(name), entry.href), "The old name is back.", entry.name);
    await this.#changed(`“${entry.name}” is called “${name}” now.`, { focus: name, undo });
  }

  /** Delete without a question: the trash gives it back. */
  async remove(entries) {
    const next = this.#grid.after(entries.map((entry) => entry.name));
    const gone = await this.#each(entries, (entry) => dav.remove(entry.href));
    if (!gone.length) return;
    const undo = () => this.#undo(() => this.#restore(gone), `${thing(gone)} restored.`, gone[0].name);
    await this.#changed(`${thing(gone)} deleted.`, { focus: next, undo });
  }

  async moveSomewhere(entries) {
    const to = await this.#askFolder(`Move ${thing(entries)}`, "Move here", entries);
    if (to) await this.move(entries, to);
  }

  async copySomewhere(entries) {
    const to = await this.#askFolder(`Copy ${thing(entries)}`, "Copy here", []);
    if (to) await this.#transfer("COPY", entries, to, "copied");
  }

  /** Move entries into the folder at *to*. */
  async move(entries, to) {
    const able = entries.filter((entry) => entry.href !== to && dav.parentOf(entry.href) !== to && !to.startsWith(entry.href));
    if (able.length) await this.#transfer("MOVE", able, to, "moved");
  }

  download(entries) {
    if (entries.length === 1 && !entries[0].folder) {
      element("a", { href: entries[0].href, download: entries[0].name }).click();
      return;
    }
    const zip = (href) => `${this.#pages}zip/${href.slice(this.#root.length)}`;
    if (entries.length === 1) {
      element("a", { href: zip(entries[0].href), download: "" }).click();
      return;
    }
    if (entries.length === this.#listing.entries.size) {
      element("a", { href: zip(this.#place.href), download: "" }).click();
      return;
    }
    const token = document.querySelector('form [name="csrf_token"]').cloneNode();
    const names = entries.map((entry) => element("input", { name: "name", value: entry.name }));
    const form = element("form", { method: "post", action: zip(this.#place.href), hidden: true }, token, ...names);
    document.body.append(form);
    form.submit();
    form.remove();
  }

  versions(entry) {
    location.href = `${this.#pages}versions/${entry.href.slice(this.#root.length)}`;
  }

  #askFolder(title, action, without) {
    const hrefs = without.map((entry) => entry.href);
    return askFolder(title, { root: this.#root, start: without.length ? this.#place.href : null, without: hrefs, action });
  }

  #taken(name) {
    return this.#listing.entries.has(name) ? `There is a “${name}” in this folder already.` : "";
  }

  async #transfer(method, entries, to, done) {
    const next = this.#grid.after(entries.map((entry) => entry.name));
    const names = new Map((await dav.members(to).catch(() => [])).map((entry) => [entry.name, entry]));
    let forAll = null;
    const back = [];
    const moved = await this.#each(entries, async (entry, index) => {
      let name = entry.name;
      let overwrite = false;
      if (names.has(name)) {
        const own = method === "COPY" && dav.memberHref(to, name, entry.folder) === entry.href;
        const answer = own ? { choice: "keep" } : (forAll ?? (await askTaken(name, { more: entries.length - index - 1, replaceable: names.get(name).folder === entry.folder })));
        if (answer.all) forAll = answer;
        if (answer.choice === "skip") return false;
        overwrite = answer.choice === "replace";
        if (!overwrite) name = freeName(name, names, method === "COPY" ? "copy" : "");
      }
      const href = dav.memberHref(to, name, entry.folder);
      await dav.transfer(method, entry.href, href, { overwrite });
      names.set(name, entry);
      back.push([href, entry.href]);
      return true;
    });
    if (!moved.length) return;
    const where = to === this.#root ? "Files" : `“${dav.nameOf(to)}”`;
    const undo = () => this.#undo(() => this.#takeBack(method, back), "Undone.", moved[0].name);
    await this.#changed(`${thing(moved)} ${done} to ${where}.`, { focus: method === "MOVE" ? next : entries[0].name, undo });
  }

  async #takeBack(method, back) {
    for (const [now, before] of back.reverse()) {
      if (method === "COPY") await dav.remove(now);
      else await dav.transfer("MOVE", now, before);
    }
  }

  async #restore(entries) {
    const paths = entries.map((entry) => ["path", `/${entry.href.slice(this.#root.length).split("/").map(decodeURIComponent).join("/")}`]);
    const answer = await ask("POST", `${this.#pages}restore`, { body: new URLSearchParams(paths) });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** Do something with one after the other, until one is refused; which ones were done. */
  async #each(entries, perform) {
    const done = [];
    this.#fault = "";
    for (const [index, entry] of entries.entries()) {
      try {
        if ((await perform(entry, index)) !== false) done.push(entry);
      } catch (error) {
        this.#fault = `“${entry.name}”: ${error.message}`;
        break;
      }
    }
    if (this.#fault && !done.length) {
      await this.#place.refresh();
      this.#grid.focus();
      say(this.#fault, { bad: true });
    }
    return done;
  }

  async #undo(perform, text, focus) {
    try {
      await perform();
      await this.#changed(text, { focus });
    } catch (error) {
      await this.#place.refresh();
      say(error.message, { bad: true });
    }
  }

  async #changed(text, { focus, undo = null }) {
    this.#listing.select([]);
    await this.#place.refresh();
    this.#grid.focus(focus);
    say(this.#fault ? `${text} ${this.#fault}` : text, { undo, bad: this.#fault !== "" });
    this.#fault = "";
    this.#room.refresh();
  }
}

/** Find a name like this one that is not taken. */
export function freeName(name, taken, word = "") {
  for (let number = word ? 1 : 2; ; number += 1) {
    const mark = word ? (number === 1 ? ` (${word})` : ` (${word} ${number})`) : ` (${number})`;
    if (!taken.has(marked(name, mark))) return marked(name, mark);
  }
}
