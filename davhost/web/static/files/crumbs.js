// The way from the top to this folder, and the heading at its end.

import { parentOf, nameOf } from "./dav.js";
import { element, named } from "./elements.js";

/** Show where we are: links to what is above, the folder itself as the heading. */
export function showCrumbs(list, root, href) {
  const title = (at) => (at === root ? "Files" : nameOf(at));
  const lineage = [];
  for (let at = href; at !== root && at.length > root.length; at = parentOf(at)) lineage.unshift(at);
  const above = [root, ...lineage].slice(0, -1);
  const heading = element("h1", { aria: { current: "page" } }, named(title(href)));
  list.replaceChildren(
    ...above.map((at) => element("li", {}, element("a", { href: at }, named(title(at))))),
    element("li", {}, heading),
  );
  document.title = `${title(href)} · davhost`;
}
