// Files as people hand them over: chosen, dropped with their folders, or pasted.

/** A picked file with the folders it is in; without a file, a folder that may be empty. */
const picked = (file, folders = []) => ({ file, folders });

/** What Finder and Explorer leave in folders, and nobody means to upload. */
const LITTER = /^(\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.localized)$/i;

/** Read what was chosen in an <input>, with its folders if a whole one was. */
export function fromInput(input) {
  const files = [...input.files].map((file) => {
    const folders = file.webkitRelativePath.split("/").slice(0, -1);
    return picked(file, folders);
  });
  input.value = "";
  return files.filter(({ file, folders }) => !folders.length || !LITTER.test(file.name));
}

/** Read what was dropped, folders and all; entries are only there until the event ends. */
export async function fromDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => picked(file));
  const found = [];
  for (const entry of entries) await walk(entry, [], found);
  return found;
}

/** Read what was pasted; a screenshot has no name of its own. */
export function fromPaste(clipboard) {
  const now = new Date();
  const stamp = `${now.toISOString().slice(0, 10)} ${now.toTimeString().slice(0, 8).replaceAll(":", ".")}`;
  return [...clipboard.files].map((file) => {
    if (!/^image\.\w+$/.test(file.name)) return picked(file);
    const name = `Pasted ${stamp}.${file.name.split(".").at(-1)}`;
    return picked(new File([file], name, { type: file.type, lastModified: now.getTime() }));
  });
}

async function walk(entry, folders, found) {
  if (entry.isFile) {
    if (folders.length && LITTER.test(entry.name)) return;
    found.push(picked(await new Promise((resolve, reject) => entry.file(resolve, reject)), folders));
    return;
  }
  const inside = [...folders, entry.name];
  found.push(picked(null, inside));
  const reader = entry.createReader();
  for (;;) {
    // A reader hands out a hundred at a time, and an empty list at the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const one of some) await walk(one, inside, found);
  }
}
