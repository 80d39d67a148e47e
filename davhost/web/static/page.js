// On every page: what a browser can do better than the server.

const style = { dateStyle: "medium", timeStyle: "short" };
const written = new Intl.DateTimeFormat(undefined, style);

/** Write the times below an element as people here do; the server writes UTC. */
export function localizeTimes(element) {
  for (const time of element.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.title = time.textContent + " UTC";
    time.textContent = written.format(at);
  }
}

/** The token with which this page proves itself to the server, in X-CSRF-Token. */
export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/** Speak WebDAV, or post to a page, in the name of the person who signed in. */
export function ask(method, url, { headers = {}, ...rest } = {}) {
  const marked = { ...headers, "X-CSRF-Token": csrfToken() };
  return fetch(url, { method, headers: marked, credentials: "same-origin", ...rest });
}

/** Let a button copy the text of the element that it names. */
function offerCopying(button) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  });
}

localizeTimes(document);
document.querySelectorAll("button[data-copy]").forEach(offerCopying);
