// The uploads as people see them: all together, and each by itself.

import { button, element, icon, named } from "./elements.js";
import { count, duration, size } from "./words.js";

/** More rows than this are only counted. */
const ROWS_MAX = 60;
const SPEED_OVER_MS = 4000;

const STATES = {
  waiting: "Waiting",
  asking: "Waiting for your answer",
  sending: "",
  pausing: "",
  done: "Done",
  skipped: "Skipped",
  cancelled: "Cancelled",
  failed: "",
  refused: "",
};

/** Those that need somebody come first, those that are over last. */
const ORDER = ["refused", "failed", "asking", "pausing", "sending", "waiting", "done", "skipped", "cancelled"];

export class UploadPanel {
  #uploads;
  #rows = new Map();
  #drawing = false;
  #speed = [];
  #told = "";

  constructor(uploads) {
    this.#uploads = uploads;
    this.title = element("h2", {}, "Uploads");
    this.bar = element("progress", { max: 1, value: 0, aria: { label: "All uploads" } });
    this.line = element("p", { class: "soft" });
    this.list = element("ul", {});
    this.more = element("p", { class: "soft", hidden: true });
    this.status = element("p", { class: "out", role: "status" });
    this.stop = button("Cancel all", { class: "quiet", on: { click: () => uploads.cancelAll() } });
    this.close = button("Close", { class: "quiet bare", symbol: "close", on: { click: () => (this.box.hidden = true) } });
    const head = element("header", {}, this.title, this.stop, this.close);
    const body = element("div", { class: "scroll", tabIndex: 0, role: "group", aria: { label: "Each upload" } }, this.list, this.more);
    this.box = element("section", { class: "uploads", hidden: true, aria: { label: "Uploads" } }, head, this.bar, this.line, body, this.status);
    document.body.append(this.box);
    uploads.addEventListener("change", () => this.#plan());
    addEventListener("beforeunload", (event) => {
      if (uploads.busy) event.preventDefault();
    });
  }

  #plan() {
    if (this.#drawing) return;
    this.#drawing = true;
    // Not an animation frame: those stop in tabs that nobody looks at.
    setTimeout(() => {
      this.#drawing = false;
      this.#draw();
    }, 100);
  }

  #draw() {
    const items = this.#uploads.items.filter((item) => item.file);
    const folders = this.#uploads.items.length - items.length;
    if (!items.length && !folders) return;
    if (this.#told === "") this.box.hidden = false;
    const total = sum(items, "size", ["refused", "cancelled", "skipped"]);
    const sent = sum(items, "sent", ["refused", "cancelled", "skipped"]);
    const busy = this.#uploads.busy;
    this.bar.max = Math.max(1, total);
    this.bar.value = busy ? sent : this.bar.max;
    this.stop.hidden = !busy;
    this.close.hidden = busy;
    this.title.textContent = busy ? `Uploading ${count(items.length, "file")}` : summary(items);
    this.line.textContent = busy ? this.#pace(sent, total) : "";
    this.line.hidden = !busy;
    this.#drawRows(items);
    this.#tell(busy, items);
  }

  /** Screen readers hear the beginning and the end, not every percent. */
  #tell(busy, items) {
    const text = busy ? "Uploading" : summary(items);
    if (text !== this.#told) this.status.textContent = text;
    this.#told = busy ? text : "";
    if (!busy) this.#speed = [];
  }

  #pace(sent, total) {
    const now = performance.now();
    this.#speed.push([now, sent]);
    while (this.#speed.length > 2 && now - this.#speed[0][0] > SPEED_OVER_MS) this.#speed.shift();
    const [then, before] = this.#speed[0];
    const pace = now > then ? Math.max(0, ((sent - before) * 1000) / (now - then)) : 0;
    const parts = [`${size(sent)} of ${size(total)}`];
    if (pace > 0) parts.push(`${size(Math.round(pace))}/s`, duration((total - sent) / pace));
    return parts.filter(Boolean).join(" · ");
  }

  #drawRows(items) {
    const sorted = [...items].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
    const shown = sorted.slice(0, ROWS_MAX);
    const rows = shown.map((item) => this.#row(item));
    const keep = new Set(rows);
    for (const row of [...this.list.children]) if (!keep.has(row)) row.remove();
    rows.forEach((row, place) => {
      if (this.list.children[place] !== row) this.list.insertBefore(row, this.list.children[place] ?? null);
    });
    const left = items.length - shown.length;
    this.more.hidden = left === 0;
    this.more.textContent = `and ${count(left, "file")} more`;
  }

  #row(item) {
    let row = this.#rows.get(item);
    if (!row) {
      row = this.#make(item);
      this.#rows.set(item, row);
    }
    row.dataset.state = item.state;
    row.bar.value = item.state === "done" ? row.bar.max : item.sent;
    row.bar.hidden = !["sending", "waiting", "asking"].includes(item.state);
    const percent = item.size ? Math.floor((100 * item.sent) / item.size) : 0;
    row.note.textContent = item.why || STATES[item.state] || `${percent} % of ${size(item.size)}`;
    row.cancel.hidden = !["waiting", "sending", "pausing", "asking"].includes(item.state);
    row.retry.hidden = !["failed", "cancelled"].includes(item.state);
    return row;
  }

  #make(item) {
    const path = [...item.folders, item.name].join("/");
    const bar = element("progress", { max: Math.max(1, item.size), value: 0, aria: { label: path } });
    const note = element("p", { class: "note" });
    const small = (label, symbol, run) => element("button", { type: "button", class: "quiet bare", title: label, aria: { label: `${label} ${path}` }, on: { click: run } }, icon(symbol));
    const cancel = small("Cancel", "close", () => this.#uploads.cancel(item));
    const retry = small("Try again", "retry", () => this.#uploads.retry(item));
    const row = element("li", {}, element("div", { class: "line" }, element("span", { class: "title" }, named(path)), retry, cancel), bar, note);
    return Object.assign(row, { bar, note, cancel, retry });
  }
}

function sum(items, key, without) {
  return items.reduce((all, item) => (without.includes(item.state) ? all : all + item[key]), 0);
}

/** Say in one line how it ended. */
function summary(items) {
  const number = (...states) => items.filter((item) => states.includes(item.state)).length;
  const parts = [`${count(number("done"), "file")} uploaded`];
  const refused = number("failed", "refused");
  if (refused) parts.push(`${refused} not`);
  if (number("skipped")) parts.push(`${number("skipped")} skipped`);
  if (number("cancelled")) parts.push(`${number("cancelled")} cancelled`);
  return parts.join(", ");
}
