// How much of the quota is used.

import * as dav from "./dav.js";
import { element } from "./elements.js";
import { size } from "./words.js";

/** Keep the room of a home, shown in an element. */
export class Room {
  #box;
  #root;
  #reading = null;

  constructor(box, root, used, quota) {
    this.#box = box;
    this.#root = root;
    this.left = quota === null ? null : Math.max(0, quota - used);
  }

  /** Ask again, once for all who ask while it is being read. */
  refresh() {
    this.#reading ??= dav.room(this.#root).then((room) => this.#show(room), () => {}).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  #show({ used, left }) {
    this.left = left;
    const text = element("span", {}, left === null ? `${size(used)} used` : `${size(used)} of ${size(used + left)} used`);
    if (left === null) {
      this.#box.replaceChildren(text);
      return;
    }
    const quota = used + left;
    const meter = element("meter", { min: 0, max: quota, high: quota * 0.9, value: used, aria: { label: "Room used" } });
    this.#box.replaceChildren(meter, text);
  }
}
