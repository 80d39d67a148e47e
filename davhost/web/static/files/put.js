// One PUT with progress, which fetch cannot tell.

import { csrfToken } from "../page.js";
import { Refused } from "./dav.js";

/** Send a file; `signal` ends it, `progress` hears how many bytes are on their way. */
export function put(href, file, { condition, signal, progress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", href);
    request.setRequestHeader("X-CSRF-Token", csrfToken());
    request.setRequestHeader("X-OC-Mtime", String(Math.floor(file.lastModified / 1000)));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    for (const [name, value] of Object.entries(condition)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(new Refused(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    });
    request.addEventListener("error", () => reject(new Refused(0)));
    request.addEventListener("abort", () => reject(new DOMException("Cancelled", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
