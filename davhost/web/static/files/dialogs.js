// Questions. Each is a <dialog>: Escape closes it, focus stays in it and goes back after it.

import { button, element, named } from "./elements.js";

let last = 0;

/** Show a dialog; `fill(close)` makes its content, and close(answer) ends it. Null is Escape. */
export function ask(title, fill, names = "") {
  return new Promise((resolve) => {
    let answer = null;
    const id = `dialog-${(last += 1)}`;
    const dialog = element("dialog", { class: names, aria: { labelledby: id } });
    const close = (given) => {
      answer = given;
      dialog.close();
    };
    dialog.append(element("h2", { id }, title), ...fill(close, dialog));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Ask for a name, and do something with it; what refuses is said, and the question stays. */
export function askName(title, { value = "", action, check = () => "", perform }) {
  return ask(title, (close) => {
    const fault = element("p", { class: "fault", id: "name-fault", role: "alert" });
    const input = element("input", { value, required: true, autocomplete: "off", spellcheck: false, aria: { label: "Name", describedby: "name-fault" } });
    const main = element("button", { class: "main" }, action);
    const submit = async (event) => {
      event.preventDefault();
      const name = input.value.trim().normalize("NFC");
      fault.textContent = wrongName(name) || (name === value ? "" : check(name));
      if (fault.textContent) return input.focus();
      main.disabled = true;
      try {
        await perform(name);
        close(name);
      } catch (error) {
        fault.textContent = error.message;
        main.disabled = false;
        input.focus();
      }
    };
    queueMicrotask(() => {
      input.focus();
      const dot = value.lastIndexOf(".");
      input.setSelectionRange(0, dot > 0 ? dot : value.length);
    });
    const cancel = button("Cancel", { on: { click: () => close(null) } });
    return [element("form", { on: { submit } }, element("div", { class: "field" }, input, fault), row(cancel, main))];
  });
}

/** Say what no name can be; the server knows the rest. */
function wrongName(name) {
  if (!name) return "Type a name.";
  if (/[/\\]/.test(name)) return "A name cannot hold a slash or a backslash.";
  if (name === "." || name === "..") return "This name means the folder itself.";
  return "";
}

/** Ask what to do with a name that is taken: `replace`, `keep` or `skip`, and whether for all. */
export async function askTaken(name, { more = 0, replaceable = true, detail = "" } = {}) {
  const answer = await ask("This name is taken", (close) => {
    const all = element("input", { type: "checkbox" });
    const choose = (choice) => () => close({ choice, all: all.checked });
    const replace = button("Replace", { class: "main", on: { click: choose("replace") } });
    const keep = button("Keep both", { class: replaceable ? "" : "main", on: { click: choose("keep") } });
    const skip = button("Skip", { on: { click: choose("skip") } });
    const kept = replaceable ? "Replacing keeps the content of before as a version." : "There is a folder of that name.";
    return [
      element("p", {}, named(name), " is in this folder already. ", detail),
      element("p", { class: "hint" }, kept),
      more > 0 ? element("label", { class: "check" }, all, ` The same for the ${more} after it, if they are taken`) : null,
      row(skip, keep, replaceable ? replace : null),
    ].filter(Boolean);
  });
  return answer ?? { choice: "skip", all: false };
}

/** The buttons at the end of a dialog, the main one last. */
export function row(...buttons) {
  return element("div", { class: "buttons" }, ...buttons);
}
