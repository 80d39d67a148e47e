// Rows dragged onto folders, and files dragged in from outside.

const OWN = "application/x-davhost-names";

/** Let rows be dragged onto folders and onto the path above. */
export function letRowsMove({ table, crumbs, grid, listing, move }) {
  table.addEventListener("dragstart", (event) => {
    const entry = grid.entryAt(event.target);
    if (!entry) return;
    if (!listing.selection.has(entry.name)) listing.select([entry.name]);
    event.dataTransfer.setData(OWN, listing.href);
    event.dataTransfer.effectAllowed = "move";
  });
  const target = (event) => {
    if (!event.dataTransfer.types.includes(OWN)) return null;
    const entry = grid.entryAt(event.target);
    if (entry) return entry.folder && !listing.selection.has(entry.name) ? [entry.href, grid.rowOf(entry.name)] : null;
    const link = event.target.closest?.("a");
    return link ? [link.getAttribute("href"), link] : null;
  };
  for (const area of [table, crumbs]) acceptDrops(area, target, (href) => move(listing.selected, href));
}

/** Let files be dropped from outside, onto the page or onto a folder in it. */
export function letFilesIn({ page, grid, listing, take }) {
  const target = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return null;
    const entry = grid.entryAt(event.target);
    return entry?.folder ? [entry.href, grid.rowOf(entry.name)] : [listing.href, page];
  };
  acceptDrops(page, target, (href, transfer) => take(transfer, href));
}

function acceptDrops(area, target, drop) {
  let marked = null;
  const mark = (element) => {
    if (marked === element) return;
    marked?.classList.remove("target");
    element?.classList.add("target");
    marked = element;
  };
  area.addEventListener("dragover", (event) => {
    const found = target(event);
    mark(found?.[1] ?? null);
    if (found) event.preventDefault();
  });
  area.addEventListener("dragleave", (event) => {
    if (!area.contains(event.relatedTarget)) mark(null);
  });
  area.addEventListener("drop", (event) => {
    mark(null);
    const found = target(event);
    if (!found) return;
    event.preventDefault();
    drop(found[0], event.dataTransfer);
  });
}
