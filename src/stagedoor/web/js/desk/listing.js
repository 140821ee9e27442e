/**
 * A list of the server's: quick filters, an expression, a table, pages; all of it in the address.
 *
 * @typedef {object} Kind
 * @property {string} path          of the call
 * @property {string} caption
 * @property {[string, string]} counted  one and many
 * @property {import("../ui/table.js").Column[]} columns
 * @property {string[]} examples    expressions
 * @property {{id: string, name: string, query: () => Record<string, unknown>}[]} [filters]  the first is taken by itself
 * @property {string[]} [plain]     attributes in which plain words are looked for
 * @property {(narrowed: boolean) => import("../dom.js").Child} empty
 * @property {() => Record<string, unknown>} [fixed]  asked in any case
 * @property {(items: any[]) => any[]} [folded] rows of a page, where several items are one
 * @property {(items: any[]) => any} [then]  told what has come
 */
import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { pager } from "../ui/pager.js";
import { isOfQuery, queryField } from "../ui/query.js";
import { sorry } from "../ui/sorry.js";
import { table } from "../ui/table.js";
import { asked, keep } from "./address.js";
import { meant } from "./plain.js";

const LIMIT = 50;

/** @param {import("../router.js").Page} page @param {Kind} kind */
export function listing(page, kind) {
  const made = table(kind.caption, kind.columns);
  const state = h("div", {});
  const taken = h("p", { class: "small muted query-taken", role: "status" });
  const show = (words) => {
    keep({ skip: 0, ...words });
    void reload();
  };
  const query = queryField((text) => show({ where: text }), kind.examples);
  const pages = pager((skip) => show({ skip }), ...kind.counted);
  const filters = kind.filters ? quick(kind.filters, (id) => show({ show: id })) : null;
  let latest = 0;

  async function reload() {
    const { where: typed = "", skip = "0", show: chosen = "" } = asked();
    const { where, plain } = meant(typed, kind.plain);
    const filter = kind.filters?.find(({ id }) => id === chosen) ?? kind.filters?.[0];
    filters?.mark(filter?.id);
    fill(taken, plain ? ["No comparison, so this is looked for: ", h("code", {}, where)] : null);
    const number = (latest += 1);
    try {
      const query_ = { ...kind.fixed?.(), ...filter?.query(), where, skip, limit: LIMIT };
      const { total, items } = await get(kind.path, { query: query_, signal: page.signal });
      if (number !== latest) return;
      query.say(null);
      made.show(kind.folded?.(items) ?? items);
      made.element.hidden = !items.length;
      fill(state, items.length ? null : h("div", { class: "empty" }, kind.empty(Boolean(where || chosen || Number(skip)))));
      pages.show({ total, shown: items.length, from: Number(skip), limit: LIMIT });
      kind.then?.(items);
    } catch (error) {
      if (error.name !== "AbortError" && number === latest) refused(error, Boolean(where));
    }
  }

  function refused(error, narrowed) {
    const ofQuery = narrowed && isOfQuery(error);
    query.say(ofQuery ? error : null);
    if (ofQuery) return;
    if (error.status === undefined && made.element.isConnected && !made.element.hidden) return; // What is shown stays; it is tried again.
    fill(state, sorry(error, reload));
  }

  /** Ask what the address says, which somebody else has changed. */
  function ask() {
    query.set(asked().where ?? "");
    void reload();
  }

  query.set(asked().where ?? "");
  made.element.hidden = true;
  const element = h("div", {}, filters?.element, query.element, taken, state, made.element, pages.element);
  return { element, reload, ask, change: made.change };
}

/** Buttons of which one is pressed. */
function quick(filters, choose) {
  const buttons = new Map(filters.map(({ id, name }) => [id, h("button", { class: "chip", type: "button", "aria-pressed": "false", on: { click: () => choose(id) } }, name)]));
  const mark = (chosen) => buttons.forEach((button, id) => button.setAttribute("aria-pressed", String(id === chosen)));
  return { element: h("div", { class: "chips", role: "group", "aria-label": "Which" }, [...buttons.values()]), mark };
}
