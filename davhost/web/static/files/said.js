// What happened, in one place: seen for a while, and told to screen readers.

import { button, element } from "./elements.js";

const SHOWN_MS = 8000;
const box = element("div", { class: "said", role: "status", hidden: true });
document.querySelector("main").append(box);
let hiding = 0;
let undoing = null;

/** Say what happened, with a way to undo it. */
export function say(text, { undo = null, bad = false } = {}) {
  clearTimeout(hiding);
  undoing = undo;
  box.classList.toggle("bad", bad);
  box.hidden = false;
  box.replaceChildren(element("span", {}, text));
  if (undo) box.append(button("Undo", { class: "quiet", on: { click: undoLast } }));
  box.append(button("Close", { symbol: "close", class: "quiet bare", on: { click: hide } }));
  hiding = setTimeout(hideUnlessUsed, bad ? 2 * SHOWN_MS : SHOWN_MS);
}

/** Undo what was said last, if it can be; whether it could. */
export function undoLast() {
  const undo = undoing;
  hide();
  undo?.();
  return undo !== null;
}

/** Nobody loses a button that they are about to press. */
function hideUnlessUsed() {
  if (box.matches(":hover, :focus-within")) hiding = setTimeout(hideUnlessUsed, 1000);
  else hide();
}

function hide() {
  clearTimeout(hiding);
  undoing = null;
  box.hidden = true;
}
