/** Plain words in the field of a list: whoever types no comparison looks for what is called like that. */

/** A sign of comparison anywhere, or a word of one behind a name. */
const COMPARED = /[=<>]|(^|[\s(])[a-z_]\w*\s+(not\s+)?(in|contains|matches)\s/i;

/**
 * The expression that is meant by what somebody typed.
 *
 * @param {string} text
 * @param {string[]} names attributes in which plain words are looked for; none: every text is an expression
 * @returns {{where: string, plain: boolean}}
 */
export function meant(text, names = []) {
  const words = text.trim();
  if (!words || !names.length || COMPARED.test(words)) return { where: text, plain: false };
  return { where: names.map((name) => `${name} contains ${quoted(words)}`).join(" or "), plain: true };
}

/** Within its own kind a quote is doubled; whoever has quoted their words means what is between. @param {string} words */
function quoted(words) {
  const [, , inner] = /^(["'])(.+)\1$/.exec(words) ?? [];
  return `"${(inner ?? words).replaceAll('"', '""')}"`;
}
