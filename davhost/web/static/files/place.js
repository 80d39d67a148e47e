// Which folder is shown: read, remembered in the browser's history, read again.

import * as dav from "./dav.js";
import { showCrumbs } from "./crumbs.js";
import { say } from "./said.js";

/** Tells `arrive` listeners when another folder is shown. */
export class Place extends EventTarget {
  #listing;
  #crumbs;
  #root;
  #reading = null;

  constructor(listing, crumbs, root) {
    super();
    this.#listing = listing;
    this.#crumbs = crumbs;
    this.#root = root;
    addEventListener("popstate", () => this.#show(location.pathname.replace(/\/?$/, "/")));
  }

  get href() {
    return this.#listing.href;
  }

  /** Go to a folder, as following a link to it does. */
  async go(href) {
    if (await this.#show(href)) history.pushState(null, "", href + location.search);
  }

  /** Read the folder again. */
  async refresh() {
    const href = this.href;
    try {
      const found = await dav.members(href);
      if (href === this.href) this.#replace(href, found);
    } catch (error) {
      say(error.message, { bad: true });
    }
  }

  async #show(href) {
    this.#reading?.abort();
    this.#reading = new AbortController();
    try {
      const found = await dav.members(href, this.#reading.signal);
      this.#replace(href, found);
    } catch (error) {
      if (error.name !== "AbortError") say(error.message, { bad: true });
      return false;
    }
    showCrumbs(this.#crumbs, this.#root, href);
    scrollTo(0, 0);
    this.dispatchEvent(new Event("arrive"));
    return true;
  }

  /** Versions and trash have pages of their own; what programs keep for themselves is only counted. */
  #replace(href, found) {
    const entries = href === this.#root ? found.filter((entry) => entry.name !== ".davhost") : found;
    const shown = entries.filter((entry) => !entry.hidden);
    this.#listing.replace(href, shown, entries.length - shown.length);
  }
}
