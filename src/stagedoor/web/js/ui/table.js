/** Tables that fold into cards on a narrow screen. */
import { h, redraw } from "../dom.js";

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {(item: any) => import("../dom.js").Child} cell
 * @property {string} [class]   `number`, `nowrap`; `minor` where a narrow screen does without it
 * @property {boolean} [quiet]  its heading is for screen readers alone
 */

/**
 * @param {string} caption what it lists, for screen readers
 * @param {Column[]} columns
 * @param {(item: any) => string} key
 */
export function table(caption, columns, key = (item) => item.id) {
  const headings = columns.map((column) => h("th", { scope: "col", class: column.class }, column.quiet ? h("span", { class: "unseen" }, column.name) : column.name));
  const body = h("tbody", {});
  /** @type {Map<string, HTMLTableRowElement>} */
  const rows = new Map();
  const cells = (item) => columns.map((column) => cell(column, column.cell(item)));
  const show = (items) => {
    rows.clear();
    const made = items.map((item) => {
      const row = h("tr", { data: { key: key(item) } }, cells(item));
      rows.set(key(item), row);
      return row;
    });
    redraw(body, made);
  };
  const change = (item) => {
    const row = rows.get(key(item));
    if (row) redraw(row, cells(item));
  };
  const element = h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, h("table", { class: "table folds" }, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, headings)), body));
  return { element, show, change };
}

/** What is in a cell stays one thing beside its label where the table folds; an empty cell folds away. */
function cell(column, content) {
  const inner = h("div", {}, content);
  return h("td", { class: column.class, "data-label": column.quiet ? null : column.name }, inner.hasChildNodes() ? inner : null);
}

/** A table of what is there already. */
export function tableOf(caption, columns, items, key) {
  const made = table(caption, columns, key);
  made.show(items);
  return made.element;
}
