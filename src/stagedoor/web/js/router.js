/**
 * Which module shows which address. A module exports `show(page)` and, where it has one for all, `title`.
 *
 * @typedef {object} Page
 * @property {HTMLElement} main     to be filled
 * @property {Record<string, string>} params  words of the address
 * @property {URLSearchParams} query
 * @property {any} me               who is signed in; null on pages that need nobody
 * @property {AbortSignal} signal   aborted when the user goes elsewhere: give it to every call and listener
 * @property {(address: string) => void} go
 * @property {(title: string) => void} name  sets the title of the document
 */

/** @type {{pattern: RegExp, names: string[], route: any}[]} */
const table = [];

/** @param {Record<string, any>} routes `{"/jobs/:id": {load, open?}}` */
export function define(routes) {
  for (const [path, route] of Object.entries(routes)) {
    const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]);
    table.push({ pattern: new RegExp(`^${path.replace(/:\w+/g, "([^/]+)")}/?$`), names, route });
  }
}

/** The route of an address, and the words in it; null where there is none. */
export function match(pathname) {
  for (const { pattern, names, route } of table) {
    const found = pattern.exec(pathname);
    const words = found && readable(found.slice(1));
    if (words) return { route, params: Object.fromEntries(names.map((name, index) => [name, words[index]])) };
  }
  return null;
}

/** @param {string[]} words @returns {string[] | null} null where one is no text */
function readable(words) {
  try {
    return words.map(decodeURIComponent);
  } catch {
    return null;
  }
}

let shown = new AbortController();
/** @type {(signal: AbortSignal) => Promise<void>} */
let draw = async () => {};

/** @param {(signal: AbortSignal) => Promise<void>} drawing shows what the address says */
export function start(drawing) {
  draw = drawing;
  addEventListener("popstate", () => refresh());
  document.addEventListener("click", follow);
  return refresh();
}

/** Show what the address says, anew. */
export async function refresh() {
  shown.abort();
  for (const open of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (open).close(); // It asks about what is gone.
  shown = new AbortController();
  await draw(shown.signal);
}

/** Go to an address of this site. */
export function go(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  scrollTo(0, 0);
  return refresh();
}

/** A place on this page: its address stays, so that nothing is drawn anew. @param {string} hash */
function focusOn(hash) {
  const place = document.getElementById(hash.slice(1));
  place?.focus();
  place?.scrollIntoView();
}

function follow(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin || link.pathname.startsWith("/api/")) return;
  event.preventDefault();
  if (link.hash && link.pathname === location.pathname && link.search === location.search) return focusOn(link.hash);
  void go(link.pathname + link.search + link.hash);
}
