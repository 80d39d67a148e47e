// The rows that came with the page, read back.

import { nameOf } from "./dav.js";

/** Read the entries of the table that the server wrote. */
export function entriesOf(table) {
  return [...table.tBodies[0].rows].map((row) => {
    const href = row.querySelector(".name a").getAttribute("href");
    return {
      name: nameOf(href),
      href,
      folder: row.dataset.folder === "yes",
      size: Number(row.dataset.size),
      modified: Date.parse(row.querySelector("time").dateTime),
      hidden: false,
      etag: row.dataset.etag ? `"${row.dataset.etag}"` : "",
    };
  });
}
