// A file shown in place: pictures, text, documents, sound and film; arrows lead to the next.
//
// Nothing of a file runs here. Pictures and films are only drawn, text is only
// text, and a document goes to the viewer of the browser as a PDF, whatever it says.

import { ask } from "../page.js";
import { button, element, icon, named } from "./elements.js";
import { size } from "./words.js";

const TEXT_BYTES_MAX = 1 << 20;
const PDF_BYTES_MAX = 100_000_000;
const SHOWN = new Set(["image", "text", "pdf", "audio", "video"]);

/** Whether files of a type can be shown. */
export function canPreview(type) {
  return SHOWN.has(type);
}

export class Preview {
  #listing;
  #typeOf;
  #download;
  #leave;
  #entry = null;
  #url = "";
  #dialog;

  constructor({ listing, typeOf, download, leave }) {
    Object.assign(this, { title: element("h2", { id: "preview-title" }), stage: element("div", { class: "stage" }) });
    this.#listing = listing;
    this.#typeOf = typeOf;
    this.#download = download;
    this.#leave = leave;
    this.#dialog = this.#make();
  }

  open(entry) {
    if (!this.#dialog.isConnected) document.body.append(this.#dialog);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#show(entry);
  }

  #make() {
    const bare = (label, symbol, run, names = "") => element("button", { type: "button", class: `quiet bare ${names}`, title: label, aria: { label }, on: { click: run } }, icon(symbol));
    const head = element("header", {}, this.title, this.count = element("span", { class: "soft" }),
      bare("Download", "download", () => this.#download(this.#entry)),
      bare("Close", "close", () => this.#dialog.close()));
    this.before = bare("Previous", "back", () => this.#step(-1), "before");
    this.next = bare("Next", "forward", () => this.#step(1), "next");
    const dialog = element("dialog", { class: "preview", aria: { labelledby: "preview-title" } }, head, this.before, this.stage, this.next);
    dialog.addEventListener("keydown", (event) => this.#key(event));
    dialog.addEventListener("close", () => {
      this.#clear();
      dialog.remove();
      this.#leave(this.#entry);
    });
    return dialog;
  }

  #key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    // The arrows of a film or a text are its own.
    if (!by || event.target.closest("video, audio, pre")) return;
    event.preventDefault();
    this.#step(by);
  }

  get #files() {
    return this.#listing.shown.filter((entry) => !entry.folder && canPreview(this.#typeOf(entry)));
  }

  #step(by) {
    const files = this.#files;
    const to = files[files.findIndex((entry) => entry.name === this.#entry.name) + by];
    if (to) this.#show(to);
  }

  #show(entry) {
    this.#clear();
    this.#entry = entry;
    const files = this.#files;
    const at = files.findIndex((one) => one.name === entry.name);
    this.before.disabled = at <= 0;
    this.next.disabled = at >= files.length - 1;
    this.title.replaceChildren(named(entry.name));
    this.count.textContent = `${at + 1} of ${files.length} · ${size(entry.size)}`;
    const kinds = { image: () => this.#image(entry), text: () => this.#text(entry), pdf: () => this.#pdf(entry), audio: () => this.#media("audio", entry), video: () => this.#media("video", entry) };
    kinds[this.#typeOf(entry)]();
  }

  /** What is shown from outside ends with it: sound, downloads, memory. */
  #clear() {
    this.stage.querySelector("video, audio")?.pause();
    this.stage.replaceChildren();
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = "";
  }

  #image(entry) {
    const picture = element("img", { src: entry.href, alt: entry.name });
    picture.addEventListener("error", () => this.#cannot(entry));
    this.stage.append(picture);
  }

  #media(tag, entry) {
    const player = element(tag, { src: entry.href, controls: true, preload: "metadata", aria: { label: entry.name } });
    player.addEventListener("error", () => this.#cannot(entry));
    this.stage.append(player);
  }

  async #text(entry) {
    const bytes = await this.#fetch(entry, entry.size > TEXT_BYTES_MAX ? TEXT_BYTES_MAX : 0);
    if (!bytes) return;
    const text = new TextDecoder().decode(bytes);
    const cut = entry.size > TEXT_BYTES_MAX ? element("p", { class: "soft" }, `This is the beginning. The whole file has ${size(entry.size)}.`) : null;
    this.stage.append(...[element("pre", { tabIndex: 0, aria: { label: entry.name }, role: "document" }, text), cut].filter(Boolean));
  }

  async #pdf(entry) {
    // Without a viewer of its own (phones), the browser would save it at once.
    if (!navigator.pdfViewerEnabled || entry.size > PDF_BYTES_MAX) return this.#cannot(entry);
    const bytes = await this.#fetch(entry, 0);
    if (!bytes) return;
    this.#url = URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }));
    this.stage.append(element("iframe", { src: this.#url, title: entry.name }));
  }

  /** Read a file, or its first bytes; null when something else is shown by then. */
  async #fetch(entry, bytesMax) {
    try {
      const answer = await ask("GET", entry.href, { headers: bytesMax ? { Range: `bytes=0-${bytesMax - 1}` } : {} });
      if (!answer.ok) throw new Error();
      const bytes = await answer.arrayBuffer();
      return this.#entry === entry && this.#dialog.open ? bytes : null;
    } catch {
      if (this.#entry === entry) this.#cannot(entry);
      return null;
    }
  }

  #cannot(entry) {
    this.stage.replaceChildren(
      element("div", { class: "cannot" }, element("p", {}, "This cannot be shown here."), button("Download", { class: "main", symbol: "download", on: { click: () => this.#download(entry) } })),
    );
  }
}
