// Sizes, dates and types as people read them.

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const wholes = new Intl.NumberFormat(undefined);

/** Write a number of bytes with three digits or so, as the server does. */
export function size(bytes) {
  let number = bytes;
  let unit = 0;
  while (Math.round(number * 10) / 10 >= 1000 && unit < UNITS.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${number} B` : `${Number(number.toPrecision(3))} ${UNITS[unit]}`;
}

/** Write milliseconds since 1970 as a date and time. */
export function moment(at) {
  return at ? dates.format(new Date(at)) : "";
}

/** Write how many there are of something. */
export function count(number, one, many = `${one}s`) {
  return `${wholes.format(number)} ${number === 1 ? one : many}`;
}

/** Write how long something still takes. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min left`;
  return `${Math.round(seconds / 360) / 10} h left`;
}

/** What follows the last dot of a name, in small letters; empty when there is no dot. */
export function extension(name) {
  return name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "";
}

/** Put *mark* before the extension of a name. */
export function marked(name, mark) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) + mark + name.slice(dot) : name + mark;
}

/** Make the question which icon stands for an entry, from the server's table. */
export function typeFinder(table) {
  const types = new Map();
  for (const [type, extensions] of Object.entries(table)) {
    for (const one of extensions.split(" ")) types.set(one, type);
  }
  return (entry) => (entry.folder ? "folder" : types.get(extension(entry.name)) ?? "file");
}
