// WebDAV as the page speaks it: the same requests, to the same URLs, as every program.

import { ask } from "../page.js";

const DAV = "DAV:";

const WANTED = `<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/><hidden xmlns="https://davhost.example/ns"/></prop></propfind>`;

const ROOM = `<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:"><prop><quota-used-bytes/><quota-available-bytes/></prop></propfind>`;

const WORDS = {
  0: "The server cannot be reached.",
  401: "You have been signed out. Load the page again to sign in.",
  404: "It is not there any more.",
  412: "There is something of that name already, or it was changed in the meantime.",
  423: "Somebody has it open, and it is locked until it is closed.",
  507: "There is not enough room.",
};

/** The server said no, or nothing: `status` is 0 when it could not be reached. */
export class Refused extends Error {
  constructor(status, body = "", retryAfter = null) {
    super(sentence(body) || WORDS[status] || `The server answered ${status}.`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Read the sentence for people in a DAV:error body; empty when there is none. */
function sentence(body) {
  if (!body.includes("<")) return "";
  const read = new DOMParser().parseFromString(body, "application/xml");
  return read.getElementsByTagNameNS("https://davhost.example/ns", "message")[0]?.textContent ?? "";
}

/** Send a request, and throw `Refused` unless it did what it was to do. */
export async function send(method, href, options) {
  let answer;
  try {
    answer = await ask(method, href, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0);
  }
  if (!answer.ok) throw new Refused(answer.status, await answer.text(), answer.headers.get("Retry-After"));
  return answer;
}

/** List a collection: its members, itself left out. */
export async function members(href, signal) {
  const answer = await propfind(href, "1", WANTED, signal);
  return answer.slice(1).map(entryOf);
}

/** Find one resource; null when nothing is there. */
export async function find(href, signal) {
  try {
    return entryOf((await propfind(href, "0", WANTED, signal))[0]);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** How much room is used, and how much is left; null where there is no quota. */
export async function room(href) {
  const [own] = await propfind(href, "0", ROOM);
  const number = (name) => {
    const found = own.getElementsByTagNameNS(DAV, name)[0]?.textContent;
    return found ? Number(found) : null;
  };
  return { used: number("quota-used-bytes") ?? 0, left: number("quota-available-bytes") };
}

/** Make a collection. */
export function makeCollection(href) {
  return send("MKCOL", href);
}

/** Take a resource, or a copy of it, to another place; without *overwrite* 412 says it is taken. */
export function transfer(method, from, to, { overwrite = false } = {}) {
  const headers = { Destination: new URL(to, location.href).href, Overwrite: overwrite ? "T" : "F" };
  return send(method, from, { headers });
}

/** Delete a resource; it goes to the trash. */
export function remove(href) {
  return send("DELETE", href);
}

/** The URL of a member of the collection at *parent*, which ends in a slash. */
export function memberHref(parent, name, folder = false) {
  return parent + encodeURIComponent(name) + (folder ? "/" : "");
}

/** The name at the end of a URL. */
export function nameOf(href) {
  return decodeURIComponent(href.replace(/\/$/, "").replace(/^.*\//, ""));
}

/** The URL of the collection that a resource is in. */
export function parentOf(href) {
  return href.replace(/[^/]+\/?$/, "");
}

async function propfind(href, depth, body, signal) {
  const headers = { Depth: depth, "Content-Type": "application/xml" };
  const answer = await send("PROPFIND", href, { headers, body, signal });
  const read = new DOMParser().parseFromString(await answer.text(), "application/xml");
  return [...read.documentElement.children];
}

function entryOf(response) {
  const entry = { name: "", href: "", folder: false, size: 0, modified: 0, etag: "", hidden: false };
  for (const child of response.children) {
    if (child.localName === "href") entry.href = child.textContent;
    if (child.localName === "propstat") readProperties(child.firstElementChild, entry);
  }
  entry.name = nameOf(entry.href);
  return entry;
}

function readProperties(prop, entry) {
  for (const property of prop.children) {
    const text = property.textContent;
    switch (property.localName) {
      case "resourcetype":
        entry.folder = property.firstElementChild !== null;
        break;
      case "getcontentlength":
        entry.size = Number(text);
        break;
      case "getlastmodified":
        entry.modified = Date.parse(text) || entry.modified;
        break;
      case "hidden":
        entry.hidden = text === "1";
        break;
      case "getetag":
        entry.etag = text;
        break;
    }
  }
}
