/** What a page shows is kept in its address: it can be bookmarked, sent to somebody, and gone back to. */

/** @returns {Record<string, string>} */
export const asked = () => Object.fromEntries(new URLSearchParams(location.search));

/** Change words of the address; empty ones are left out. */
export function keep(words, { replace = false } = {}) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(words)) {
    if (value === "" || value === null || value === undefined || value === 0) query.delete(name);
    else query.set(name, String(value));
  }
  const text = query.toString();
  history[replace ? "replaceState" : "pushState"](null, "", location.pathname + (text ? `?${text}` : ""));
}

/** The beginning of today here, as the server takes it. */
export function today() {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
}

/** So many days ago. @param {number} days */
export const daysAgo = (days) => new Date(Date.now() - days * 86_400_000).toISOString();
