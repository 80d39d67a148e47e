// The box that narrows the listing down to names that hold some words.

import { element, icon } from "./elements.js";
import { count } from "./words.js";

/** Make the filter of a listing; `leave` is called when the keys are to go to the rows. */
export function makeFilter(listing, leave) {
  const input = element("input", { type: "search", placeholder: "Filter", aria: { label: "Filter by name", keyshortcuts: "/" } });
  const found = element("span", { class: "out", role: "status" });
  input.addEventListener("input", () => {
    listing.filter(input.value);
    found.textContent = input.value ? `${count(listing.shown.length, "name")} found` : "";
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && input.value) {
      event.preventDefault();
      input.value = "";
      input.dispatchEvent(new Event("input"));
    } else if (["Escape", "ArrowDown", "Enter"].includes(event.key)) {
      event.preventDefault();
      leave();
    }
  });
  listing.addEventListener("change", () => {
    if (!listing.words) input.value = "";
  });
  const box = element("label", { class: "filter" }, icon("search"), input, found);
  return { box, input };
}
