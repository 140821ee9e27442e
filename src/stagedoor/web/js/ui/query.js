/** The field for an expression of the query language: examples, and what is wrong with an expression and where. */
import { fill, freshId, h } from "../dom.js";

/**
 * @param {(text: string) => void} go
 * @param {string[]} examples
 */
export function queryField(go, examples) {
  const wrong = h("div", { class: "query-wrong", role: "alert" });
  const id = freshId("query");
  const input = h("input", { id, type: "search", class: "mono", autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: examples[0], "aria-describedby": `${id}-wrong` });
  wrong.id = `${id}-wrong`;
  const given = examples.map((text) => h("li", {}, h("button", { class: "button quiet small mono", type: "button", on: { click: () => use(text) } }, text)));
  const help = h("details", { class: "query-help" }, h("summary", { class: "small muted" }, "Examples"), h("ul", {}, given), h("p", { class: "small muted" }, "A comparison has an attribute, one of = != < > <= >= in, contains, matches, and a value; * stands for any text. Join with and, or, parentheses."));
  const form = h("form", { class: "query", role: "search" }, h("label", { class: "unseen", for: id }, "Only what fits this expression"), input, h("button", { class: "button", type: "submit" }, "Search"));
  const use = (text) => {
    input.value = text;
    help.open = false;
    input.focus();
    go(text);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(input.value.trim());
  });
  input.addEventListener("search", () => input.value || go("")); // The cross in the field.
  return {
    element: h("div", { class: "query-all" }, form, wrong, help),
    input,
    /** @param {string} text */
    set: (text) => (input.value = text),
    /** @param {import("../api.js").Refusal | null} refusal */
    say: (refusal) => {
      input.setAttribute("aria-invalid", String(Boolean(refusal)));
      fill(wrong, refusal ? told(refusal, input.value) : null);
    },
  };
}

/** The sentence, and the expression with its wrong place marked. */
function told(refusal, text) {
  const { column } = refusal.details;
  const marked = column ? h("p", { class: "mono" }, text.slice(0, column - 1), h("mark", {}, text.slice(column - 1) || " ")) : null;
  return [marked, h("p", {}, refusal.message)];
}

/** Whether a refusal is about the expression. */
export const isOfQuery = (error) => ["query_refused", "query_too_slow", "attribute_unknown", "state_unknown"].includes(error.code);
