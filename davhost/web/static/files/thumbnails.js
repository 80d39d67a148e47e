// Small pictures of pictures, made by the server.

import { element, icon } from "./elements.js";

const KINDS = /\.(jpe?g|png|gif|webp|bmp)$/i;
const TRIES = 3;
const PAUSE_MS = 3000;

/** Make the question for the picture of an entry, or null where there is none. */
export function thumbnails(root, pages, typeOf) {
  return (entry) => {
    if (entry.folder || !entry.size || !KINDS.test(entry.name)) return null;
    const version = encodeURIComponent(entry.etag.replaceAll('"', ""));
    const src = `${pages}thumbnail/${version}/${entry.href.slice(root.length)}`;
    const picture = element("img", { class: "thumbnail", alt: "", width: 32, height: 32, loading: "lazy", decoding: "async", draggable: false });
    let tries = 0;
    picture.addEventListener("error", () => {
      tries += 1;
      // The server makes a few at once, and answers the others with "later".
      if (tries < TRIES) setTimeout(() => (picture.src = `${src}?${tries}`), PAUSE_MS * tries);
      else picture.replaceWith(icon(typeOf(entry)));
    });
    picture.src = src;
    return picture;
  };
}
