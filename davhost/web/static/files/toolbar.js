// The buttons above the listing, and those for what is selected.

import { button, element } from "./elements.js";
import { count } from "./words.js";

/** Make the tools: the filter, uploading, a new folder. */
export function makeTools(box, filter, { newFolder, upload }) {
  const files = element("input", { type: "file", multiple: true, hidden: true, tabIndex: -1 });
  const folder = element("input", { type: "file", webkitdirectory: true, hidden: true, tabIndex: -1 });
  files.id = "pick-files";
  folder.id = "pick-folder";
  for (const input of [files, folder]) input.addEventListener("change", () => upload(input));
  box.append(
    filter,
    button("New folder", { symbol: "new-folder", on: { click: newFolder } }),
    button("Upload folder", { symbol: "folder", class: "wide", on: { click: () => folder.click() } }),
    button("Upload", { symbol: "upload", class: "main", on: { click: () => files.click() } }),
    files,
    folder,
  );
}

/** Make the bar for what is selected; `choices` are those of the menu. */
export function makeSelectionBar(listing, choicesOf) {
  const text = element("span", { class: "count", role: "status" });
  const buttons = element("div", { class: "choices" });
  const clear = button("Clear selection", { symbol: "close", class: "quiet bare", on: { click: () => listing.select([]) } });
  const bar = element("div", { class: "selection", role: "toolbar", aria: { label: "Selected" }, hidden: true }, clear, text, buttons);
  listing.addEventListener("select", () => {
    const selected = listing.selected;
    bar.hidden = selected.length === 0;
    document.body.classList.toggle("selecting", !bar.hidden);
    text.textContent = selected.length ? count(selected.length, "selected", "selected") : "";
    const choices = selected.length ? choicesOf(selected) : [];
    buttons.replaceChildren(
      ...choices.map((choice) => button(choice.text, { symbol: choice.symbol, title: choice.text, class: choice.danger ? "danger" : "", on: { click: choice.run } })),
    );
  });
  return bar;
}
