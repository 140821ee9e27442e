/** What a studio's hook found wrong with an entry, and how it is mended. */
import { h } from "../dom.js";
import { named } from "../sequences.js";

const FILES_NAMED = 5;

/** What hooks write is shown as it comes, also where it is not as it should be. @param {any[] | null} [found] */
export function findings(found) {
  if (!found?.length) return null;
  return h("ul", { class: "findings" }, found.map((finding) => h("li", {}, one(finding))));
}

function one(finding) {
  if (typeof finding !== "object" || finding === null) return String(finding);
  const title = String(finding.title || finding.code || "");
  const code = finding.code && String(finding.code) !== title ? h("code", {}, String(finding.code)) : null;
  const files = Array.isArray(finding.files) ? named(finding.files.map(String)) : [];
  const told = files.slice(0, FILES_NAMED).join(", ") + (files.length > FILES_NAMED ? ` and ${files.length - FILES_NAMED} more` : "");
  return [
    h("p", {}, h("strong", {}, title), code ? " " : null, code),
    told ? h("p", { class: "muted" }, "in ", h("span", { class: "mono" }, told)) : null,
    finding.fix ? h("p", {}, "To fix it: ", String(finding.fix)) : null,
  ];
}
