// The files page, put together: each part in its own module, joined here.

import { Actions } from "./actions.js";
import { letFilesIn, letRowsMove } from "./dragging.js";
import { setIcons } from "./elements.js";
import { makeFilter } from "./filter.js";
import { Grid } from "./grid.js";
import { listenForKeys } from "./keyboard.js";
import { Listing } from "./listing.js";
import { showMenu } from "./menu.js";
import { entriesOf } from "./page-rows.js";
import * as picking from "./picking.js";
import { Place } from "./place.js";
import { canPreview, Preview } from "./preview.js";
import { Room } from "./room.js";
import { undoLast } from "./said.js";
import { followSorting } from "./sorting.js";
import { thumbnails } from "./thumbnails.js";
import { makeSelectionBar, makeTools } from "./toolbar.js";
import { UploadPanel } from "./upload-panel.js";
import { Uploads } from "./uploads.js";
import { count, typeFinder } from "./words.js";

const page = document.getElementById("files");
const { root, pages } = page.dataset;
const table = page.querySelector("table");
const crumbs = page.querySelector(".crumbs ol");
const came = entriesOf(table);
const typeOf = typeFinder(JSON.parse(page.dataset.types));
setIcons(page.dataset.icons);

const listing = new Listing();
const grid = new Grid(table, listing, typeOf, thumbnails(root, pages, typeOf));
const place = new Place(listing, crumbs, root);
const room = new Room(page.querySelector(".room"), root, Number(page.dataset.used), page.dataset.quota === "" ? null : Number(page.dataset.quota));
const actions = new Actions({ listing, grid, place, room, root, pages });
const preview = new Preview({ listing, typeOf, download: (entry) => actions.download([entry]), leave: (entry) => grid.focus(entry?.name) });
const uploads = new Uploads(room, page.dataset.allowed === "*" ? null : page.dataset.allowed.split(","));
const filter = makeFilter(listing, () => grid.focus());
new UploadPanel(uploads);

function open(entry) {
  if (entry.folder) place.go(entry.href).then(() => grid.focus());
  else if (canPreview(typeOf(entry))) preview.open(entry);
  else actions.download([entry]);
}

/** What can be done with entries: the menu of one, the bar of several. */
function choicesOf(entries) {
  const one = entries.length === 1 ? entries[0] : null;
  return [
    one && { text: "Open", symbol: "open", keys: "Enter", run: () => open(one) },
    { text: "Download", symbol: "download", run: () => actions.download(entries) },
    one && { text: "Rename", symbol: "rename", keys: "F2", run: () => actions.rename(one) },
    { text: "Move", symbol: "move", run: () => actions.moveSomewhere(entries) },
    { text: "Copy", symbol: "copy", run: () => actions.copySomewhere(entries) },
    one && !one.folder && { text: "Versions", symbol: "history", run: () => actions.versions(one) },
    { text: "Delete", symbol: "delete", keys: "Del", danger: true, run: () => actions.remove(entries) },
  ].filter(Boolean);
}

function menu({ detail: { entry, at, place: point } }) {
  const many = listing.selection.has(entry.name) && listing.selection.size > 1;
  const entries = many ? listing.selected : [entry];
  showMenu(many ? "Selected" : entry.name, choicesOf(entries), { at, place: point });
}

makeTools(page.querySelector(".tools"), filter.box, {
  newFolder: () => actions.newFolder(),
  upload: (input) => uploads.add(picking.fromInput(input), place.href),
});
page.querySelector(".tools").after(makeSelectionBar(listing, (entries) => choicesOf(entries).filter(({ text }) => text !== "Open" && text !== "Versions")));
followSorting(table, listing, { key: page.dataset.sort, down: page.dataset.down === "yes" });

grid.addEventListener("open", ({ detail }) => open(detail.entry));
grid.addEventListener("menu", menu);
crumbs.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  place.go(link.getAttribute("href")).then(() => grid.focus());
});
letRowsMove({ table, crumbs, grid, listing, move: (entries, href) => actions.move(entries, href) });
letFilesIn({ page: document.body, grid, listing, take: async (transfer, href) => uploads.add(await picking.fromDrop(transfer), href) });
addEventListener("paste", (event) => {
  if (event.target.closest?.("input, textarea") || document.querySelector("dialog[open]")) return;
  const picked = picking.fromPaste(event.clipboardData);
  if (picked.length) uploads.add(picked, place.href);
});
listenForKeys({
  "/": () => {
    listing.select([]);
    filter.input.focus();
  },
  "ctrl+a": () => listing.select(listing.shown.map((entry) => entry.name)),
  "ctrl+z": () => undoLast(),
  Escape: () => listing.select([]),
  Delete: () => actions.targets.length && actions.remove(actions.targets),
  F2: () => actions.targets.length === 1 && actions.rename(actions.targets[0]),
});

let refreshing = 0;
uploads.addEventListener("arrived", ({ detail: href }) => {
  if (href !== place.href || refreshing) return;
  // Ten thousand small files must not be ten thousand listings.
  refreshing = setTimeout(() => {
    refreshing = 0;
    place.refresh();
    room.refresh();
  }, 1000);
});
listing.addEventListener("change", () => {
  const empty = page.querySelector(".empty");
  empty.hidden = listing.shown.length > 0;
  empty.textContent = listing.words ? "Nothing here has that in its name." : "This folder is empty. Drop files here, or upload some.";
  table.hidden = listing.entries.size === 0;
  const aside = page.querySelector(".aside");
  aside.hidden = listing.hidden === 0;
  aside.textContent = `${count(listing.hidden, "item")} that programs keep here for themselves ${listing.hidden === 1 ? "is" : "are"} not shown.`;
});

listing.replace(page.dataset.href, came, Number(page.dataset.hidden));
page.querySelector(".rest")?.remove();
if (came.length < Number(page.dataset.total)) place.refresh();
page.dataset.ready = "yes";
