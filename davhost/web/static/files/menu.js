// The menu of an entry: beside the mouse, below a button, or at the foot of a phone.

import { element, icon } from "./elements.js";

let close = () => {};

/** Show a menu of `{text, symbol, keys, run}`; `at` gets the focus back. */
export function showMenu(label, choices, { at, place = null }) {
  close();
  const menu = element("div", { role: "menu", class: "menu", aria: { label } });
  const leave = (back) => {
    removeEventListener("pointerdown", outside, true);
    removeEventListener("scroll", away, true);
    menu.remove();
    close = () => {};
    if (back) at.focus();
  };
  const outside = (event) => menu.contains(event.target) || leave(false);
  const away = () => leave(true);
  for (const choice of choices) menu.append(item(choice, () => leave(true)));
  menu.addEventListener("keydown", (event) => key(event, menu, leave));
  document.querySelector("main").append(menu);
  put(menu, place ?? below(at));
  menu.firstElementChild.focus();
  addEventListener("pointerdown", outside, true);
  addEventListener("scroll", away, true);
  close = leave;
}

function item({ text, symbol, keys, run, danger = false }, leave) {
  const click = () => {
    leave();
    run();
  };
  const hint = keys ? element("kbd", { aria: { hidden: "true" } }, keys) : null;
  const label = element("span", {}, text);
  return element("button", { type: "button", role: "menuitem", tabIndex: -1, class: danger ? "danger" : "", on: { click } }, icon(symbol), label, hint);
}

function key(event, menu, leave) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to !== undefined) items.at(to % items.length).focus();
  else if (event.key === "Escape" || event.key === "Tab") leave(true);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function below(at) {
  const box = at.getBoundingClientRect();
  return { x: box.right, y: box.bottom };
}

/** Put the menu where it fits. */
function put(menu, { x, y }) {
  const left = x + menu.offsetWidth > innerWidth ? x - menu.offsetWidth : x;
  const top = y + menu.offsetHeight > innerHeight ? innerHeight - menu.offsetHeight - 8 : y;
  menu.style.left = `${Math.max(8, left)}px`;
  menu.style.top = `${Math.max(8, top)}px`;
}
