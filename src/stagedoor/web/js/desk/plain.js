/** Plain words in the field of a list: whoever types no comparison looks for what is called like that. */

/** A sign of comparison anywhere, or a word of one behind what can be asked of things that have a name. */
const COMPARED =
  /[=<>]|(^|[\s(])(id|code|name|description|filename|path|user|user_hr|role|status|state|phase|queue|volume|job|offer|hook|command|error|error_code|hostname|entity|entity_hr|verb|door|message|reasons?)\s+(not\s+)?(in|contains|matches)\s/i;
const QUOTED = /^(["'])(.+)\1$/s;

/**
 * The expression that is meant by what somebody typed.
 *
 * @param {string} text
 * @param {string[]} names attributes in which plain words are looked for; none: every text is an expression
 * @returns {{where: string, plain: boolean}}
 */
export function meant(text, names = []) {
  const words = text.trim();
  if (!words || !names.length || (COMPARED.test(words) && !whole(words))) return { where: text, plain: false };
  return { where: names.map((name) => `${name} contains ${quoted(words)}`).join(" or "), plain: true };
}

/** Whether all of it stands between one pair of quotes. @param {string} words */
function whole(words) {
  const [, mark, inner] = QUOTED.exec(words) ?? [];
  return Boolean(mark) && !inner.replaceAll(mark + mark, "").includes(mark);
}

/** Within its own kind a quote is doubled; whoever has quoted their words means what is between. @param {string} words */
function quoted(words) {
  const [, , inner] = QUOTED.exec(words) ?? [];
  return `"${(inner ?? words).replaceAll('"', '""')}"`;
}
