/**
 * Tables for spreadsheets, as `stagedoor log --csv` writes them: RFC 4180; a cell that a spreadsheet would take for a formula
 * gets an apostrophe in front.
 */
const FORMULA = /^[ \u00a0\n]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

/** @param {string[]} columns @param {any[]} rows */
export function csv(columns, rows) {
  return [columns, ...rows.map((row) => columns.map((name) => row[name]))].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

function cell(value) {
  const empty = value === null || value === undefined || (typeof value === "object" && !Object.keys(value).length);
  const plain = empty ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const text = (FORMULA.test(plain) ? "'" : "") + plain.replace(/[\u0000-\u001f\u007f-\u009f]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Hand a text to the user as a file. @param {string} text @param {string} name */
export function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
