// The keys that work on the whole page, wherever the focus is except in a field or a dialog.

/** Listen for keys: `bindings` from their names, "ctrl+" before those held with Ctrl or ⌘. */
export function listenForKeys(bindings) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, [contenteditable]")) return;
    const name = (event.ctrlKey || event.metaKey ? "ctrl+" : "") + event.key;
    if (!bindings[name]) return;
    event.preventDefault();
    bindings[name]();
  });
}
