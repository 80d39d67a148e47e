// Elements made of parts. Text is only ever text: no name can become markup.

let icons = "";

/** Say where the icons are. */
export function setIcons(url) {
  icons = url;
}

/** Make an element: properties, `on` for listeners, `aria`, `data` and `class`; then children. */
export function element(tag, { on = {}, aria = {}, data = {}, class: names = "", role, ...properties } = {}, ...children) {
  const made = document.createElement(tag);
  if (names) made.className = names;
  if (role) made.setAttribute("role", role);
  Object.assign(made, properties);
  for (const [key, value] of Object.entries(aria)) made.setAttribute(`aria-${key}`, value);
  for (const [key, value] of Object.entries(data)) made.dataset[key] = value;
  for (const [key, listener] of Object.entries(on)) made.addEventListener(key, listener);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Make an icon of the sprite, which says nothing to screen readers. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("class", `icon ${name}`);
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `${icons}#${name}`);
  picture.append(use);
  return picture;
}

/** Make a button with an icon; on narrow screens a `quiet` one may show the icon alone. */
export function button(text, { symbol, class: names = "", ...options } = {}) {
  const label = element("span", { class: "label" }, text);
  return element("button", { type: "button", class: names, ...options }, symbol && icon(symbol), label);
}

/** A name between words, kept together whichever way it is written. */
export function named(name) {
  return element("bdi", {}, name);
}
