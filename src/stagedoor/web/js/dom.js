/**
 * Making elements. Text is always text: nothing here reads markup, so whatever a vendor or a hook wrote is shown as it is.
 */

/** What can stand in an element; lists may nest. @typedef {Node | string | number | null | undefined | false | readonly any[]} Child */

/**
 * An element. Of `props`: `class`, `on` ({event: listener}), `style` (custom properties and others, set through the
 * CSSOM, which the policy allows), `data` (dataset), `value`, `checked` and other properties whose names an element has
 * in that form; whatever else is an attribute. `true` is an empty attribute; `false`, `null` and `undefined` are none.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(element, name, value);
  element.append(...flat(children));
  return element;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "multiple", "open", "webkitdirectory"]);

function set(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  } else if (name === "style") {
    for (const [key, one] of Object.entries(value)) element.style.setProperty(key, String(one));
  } else if (name === "data") {
    Object.assign(element.dataset, value);
  } else if (PROPERTIES.has(name) && name in element) {
    element[name] = value;
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {readonly Child[]} children @returns {(Node | string)[]} */
function flat(children) {
  return children.flat(Infinity).filter((child) => child || child === 0).map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * Put these in place of everything in `element`.
 *
 * @template {Element | DocumentFragment} E
 * @param {E} element
 * @param {...Child} children
 * @returns {E}
 */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** Remember what is focused by its id across a re-drawing of `element`. */
export function redraw(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  fill(element, ...children);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** A name or an address that may be broken after `_`, `-`, `.` and `@`, rather than anywhere. @param {string} name */
export function breakable(name) {
  return name.split(/(?<=[_.@-])/).flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part]));
}

let numbers = 0;

/** An id nobody else has, to tie labels to fields. */
export function freshId(word = "e") {
  numbers += 1;
  return `${word}-${numbers}`;
}

const SVG = "http://www.w3.org/2000/svg";
const LINE = { stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round" };
const ICONS = {
  check: "M4 12.5l5 5L20 6.5",
  cross: "M6 6l12 12M18 6L6 18",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
  folder: "M3 6h6l2 3h10v10H3z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 10h4M4 14h4M16 10h4M16 14h4",
  pause: "M8 5v14M16 5v14",
  play: "M7 5l12 7-12 7z",
  again: "M20 11a8 8 0 10-2.3 6.3M20 4v7h-7",
  sun: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  moon: "M20 14.5A8.5 8.5 0 019.5 4 8.5 8.5 0 1020 14.5z",
  person: "M12 4a4 4 0 100 8 4 4 0 000-8zM4 21c0-4.5 3.5-6.5 8-6.5s8 2 8 6.5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
};

/** A drawing beside words, which say the same: hidden from screen readers. @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  draw(svg, { viewBox: "0 0 24 24", fill: "none", "aria-hidden": "true", ...LINE, "stroke-width": "1.8" });
  svg.append(draw(document.createElementNS(SVG, "path"), { d: ICONS[name] }));
  return svg;
}

/** The door of the brand. */
export function door() {
  const svg = draw(document.createElementNS(SVG, "svg"), { viewBox: "0 0 32 32", "aria-hidden": "true" });
  const frame = { d: "M10 26V6h12v20M6 26h20", fill: "none", ...LINE, "stroke-width": "2.4" };
  const leaf = { d: "M10 6l7 3v20l-7-3z", fill: "var(--accent)" };
  for (const style of [frame, leaf]) svg.append(draw(document.createElementNS(SVG, "path"), style));
  return svg;
}

/** @template {Element} E @param {E} element @param {Record<string, string>} attributes @returns {E} */
function draw(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
