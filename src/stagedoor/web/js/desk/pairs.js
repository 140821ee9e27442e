/** Lines of `name=value`, as people type pairs. */

/**
 * Throws where a line is no pair.
 *
 * @param {string} text @param {RegExp} wanted how a line begins @param {string} called what a line is to be
 * @returns {Record<string, string>}
 */
export function pairsOf(text, wanted, called) {
  const lines = text.split("\n").filter((line) => line.trim());
  const bad = lines.find((line) => !wanted.test(line));
  if (bad) throw new Error(`"${bad.trim().slice(0, 60)}" is no ${called}.`);
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1)]));
}

/** @param {Record<string, string>} [pairs] */
export const linesOf = (pairs = {}) => Object.entries(pairs).map(([name, value]) => `${name}=${value}`).join("\n");
