// The queue of uploads: a few at once, each until it is there, refused or cancelled.
//
// Nothing is overwritten unasked: a new name is sent with If-None-Match, and what
// people chose to replace with the ETag of what they saw.

import * as dav from "./dav.js";
import { askTaken } from "./dialogs.js";
import { freeName } from "./actions.js";
import { put } from "./put.js";
import { extension, size } from "./words.js";

const AT_ONCE = 3;
const TRIES = 6;
const PAUSE_MS = 1000;
const PAUSE_MAX_MS = 30000;

/** Failures that pass: no connection, a server that is restarting or busy. */
const PASSING = new Set([0, 408, 429, 500, 502, 503, 504]);

/** States of an upload that is over. */
const OVER = new Set(["done", "skipped", "cancelled", "failed", "refused"]);

/** Tells `change` listeners of every step, and `arrived` ones which folder has something new. */
export class Uploads extends EventTarget {
  #room;
  #allowed;
  #working = 0;
  #folders = new Map();
  #asking = Promise.resolve();
  #forAll = null;

  /** `allowed` holds the extensions that the home takes; null takes all. */
  constructor(room, allowed) {
    super();
    this.items = [];
    this.#room = room;
    this.#allowed = allowed;
  }

  get busy() {
    return this.items.some((item) => !OVER.has(item.state));
  }

  /** Begin to upload what was picked, into the folder at *href*. */
  add(picked, href) {
    if (!this.busy) {
      this.items = [];
      this.#folders.clear();
      this.#forAll = null;
    }
    let left = this.#room.left;
    for (const { file, folders } of picked) {
      const item = makeItem(file, folders, href);
      item.why = this.#whyNot(item, left);
      if (item.why) item.state = "refused";
      else if (left !== null) left -= item.size;
      this.items.push(item);
    }
    this.#changed();
    this.#run();
  }

  cancel(item) {
    if (OVER.has(item.state)) return;
    item.state = "cancelled";
    item.stop.abort();
    this.#changed();
  }

  cancelAll() {
    for (const item of this.items) this.cancel(item);
  }

  /** Try again by hand. */
  retry(item) {
    Object.assign(item, { state: "waiting", tries: 0, clashes: 0, sent: 0, why: "", stop: new AbortController() });
    this.#folders.clear();
    this.#changed();
    this.#run();
  }

  /** Say before anything is sent why a file cannot come. */
  #whyNot(item, left) {
    if (!item.file) return "";
    const type = extension(item.name);
    if (this.#allowed && !this.#allowed.includes(type)) {
      const what = type ? `Files of type .${type}` : "Names without a type";
      return `${what} are not allowed here. Allowed: ${this.#allowed.join(", ")}.`;
    }
    if (left !== null && item.size > left) {
      return `There is room for ${size(Math.max(0, left))} more, and this has ${size(item.size)}.`;
    }
    return "";
  }

  #run() {
    while (this.#working < AT_ONCE) {
      const item = this.items.find((one) => one.state === "waiting");
      if (!item) break;
      this.#working += 1;
      item.state = "sending";
      this.#work(item).finally(() => {
        this.#working -= 1;
        this.#changed();
        this.#run();
      });
    }
  }

  async #work(item) {
    while (!OVER.has(item.state)) {
      try {
        await this.#once(item);
      } catch (error) {
        await this.#failed(item, error);
      }
    }
  }

  async #once(item) {
    await this.#makeFolders(item);
    if (!item.file) {
      item.state = "done";
      return;
    }
    const condition = await this.#settle(item);
    if (!condition) return;
    item.state = "sending";
    this.#changed();
    const progress = (bytes) => {
      item.sent = Math.min(bytes, item.size);
      this.#changed();
    };
    await put(item.href, item.file, { condition, signal: item.stop.signal, progress });
    this.#arrive(item);
  }

  #arrive(item) {
    item.state = "done";
    item.sent = item.size;
    this.dispatchEvent(new CustomEvent("arrived", { detail: item.top }));
  }

  async #failed(item, error) {
    if (item.state === "cancelled" || error.name === "AbortError") {
      item.state = "cancelled";
    } else if (error.status === 412 && item.clashes < TRIES) {
      item.clashes += 1;
      this.#folders.delete(item.folder);
      item.settled = null;
    } else if (PASSING.has(error.status) && item.tries < TRIES) {
      await this.#pause(item, error);
    } else {
      item.state = "failed";
      item.why = error.message;
    }
    this.#changed();
  }

  /** Wait, longer each time, or until the browser says that it is online again. */
  async #pause(item, error) {
    const wait = error.retryAfter ? Number(error.retryAfter) * 1000 : PAUSE_MS * 2 ** item.tries;
    Object.assign(item, { state: "pausing", sent: 0, tries: item.tries + 1, why: `${error.message} It will be tried again.` });
    this.#folders.clear();
    this.#changed();
    await new Promise((resolve) => {
      setTimeout(resolve, Math.min(wait || PAUSE_MS, PAUSE_MAX_MS));
      addEventListener("online", resolve, { once: true });
      item.stop.signal.addEventListener("abort", resolve);
    });
    if (item.state === "pausing") Object.assign(item, { state: "sending", why: "" });
  }

  /** Make the folders that an upload is in, each once. */
  async #makeFolders(item) {
    let href = item.top;
    for (const name of item.folders) {
      const parent = href;
      href = dav.memberHref(parent, name, true);
      await this.#shared("made", href, async () => {
        const known = await this.#members(parent);
        const there = known.get(name);
        if (there && !there.folder) throw new Error(`“${name}” is a file, and no folder.`);
        if (there) return;
        await dav.makeCollection(href);
        known.set(name, { name, href, folder: true });
        this.dispatchEvent(new CustomEvent("arrived", { detail: item.top }));
      });
    }
  }

  /** What is in a folder, read once for all that go there. */
  #members(href) {
    return this.#shared("members", href, async () => {
      const found = await dav.members(href);
      return new Map(found.map((entry) => [entry.name, entry]));
    });
  }

  #shared(what, href, make) {
    const known = this.#folders.get(href) ?? {};
    this.#folders.set(href, known);
    known[what] ??= make().catch((error) => {
      delete known[what];
      throw error;
    });
    return known[what];
  }

  /** Find out under which name and on which condition a file may go; null when it may not. */
  async #settle(item) {
    const known = await this.#members(item.folder);
    const there = known.get(item.name);
    if (item.settled) return item.settled;
    if (there && item.tries > 0 && isSame(there, item)) {
      this.#arrive(item);
      return null;
    }
    if (there && there !== item) {
      const choice = await this.#ask(item, there);
      if (OVER.has(item.state)) return null;
      if (choice === "skip") {
        item.state = "skipped";
        return null;
      }
      if (choice === "replace") {
        item.settled = { "If-Match": there.etag };
        return item.settled;
      }
      item.name = freeName(item.name, known);
      item.href = dav.memberHref(item.folder, item.name);
    }
    known.set(item.name, item);
    return { "If-None-Match": "*" };
  }

  /** Ask one question at a time. */
  #ask(item, there) {
    const asked = this.#asking.then(async () => {
      const replaceable = Boolean(there.etag) && !there.folder;
      if (this.#forAll && (replaceable || this.#forAll !== "replace")) return this.#forAll;
      item.state = "asking";
      this.#changed();
      const more = this.items.filter((one) => one.state === "waiting" || one.state === "sending").length;
      const detail = there.size !== undefined && replaceable ? `It has ${size(there.size)}, the new one ${size(item.size)}.` : "";
      const { choice, all } = await askTaken(item.name, { more, replaceable, detail });
      if (all) this.#forAll = choice;
      return choice;
    });
    this.#asking = asked.catch(() => {});
    return asked;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function makeItem(file, folders, top) {
  const clean = folders.map((name) => name.normalize("NFC"));
  const folder = clean.reduce((href, name) => dav.memberHref(href, name, true), top);
  const name = (file ? file.name : clean.at(-1)).normalize("NFC");
  const href = file ? dav.memberHref(folder, name) : folder;
  const state = "waiting";
  return { file, folders: clean, top, folder, name, href, state, size: file?.size ?? 0, sent: 0, tries: 0, clashes: 0, why: "", settled: null, stop: new AbortController() };
}

/** Whether what is there is what we sent, when its answer was lost: its size and date tell. */
function isSame(there, item) {
  return there.size === item.size && Math.floor(there.modified / 1000) === Math.floor(item.file.lastModified / 1000);
}
