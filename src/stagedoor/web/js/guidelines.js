/**
 * The one place where markup becomes elements. Guidelines are cleaned by the server (nh3); here they are read into a
 * document of their own, which runs nothing, and copied element by element with the few attributes that they need.
 */
const TAGS = new Set("A ABBR B BLOCKQUOTE BR CODE DD DEL DIV DL DT EM H1 H2 H3 H4 H5 H6 HR I INS KBD LI OL P PRE S SMALL SPAN STRONG SUB SUP TABLE TBODY TD TH THEAD TR U UL".split(" "));
const policy = globalThis.trustedTypes?.createPolicy("guidelines", { createHTML: (text) => text });

/** @param {string} text HTML @returns {DocumentFragment} */
export function guidelines(text) {
  const parsed = new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");
  const fragment = document.createDocumentFragment();
  copy(parsed.body, fragment);
  return fragment;
}

function copy(from, to) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
    else if (node.nodeType === Node.ELEMENT_NODE) to.append(...element(node));
  }
}

function element(node) {
  if (!TAGS.has(node.tagName)) return ["SCRIPT", "STYLE", "TEMPLATE"].includes(node.tagName) ? [] : inner(node);
  const made = document.createElement(node.tagName);
  if (node.tagName === "A") link(node, made);
  copy(node, made);
  return [made];
}

function inner(node) {
  const fragment = document.createDocumentFragment();
  copy(node, fragment);
  return [fragment];
}

function link(node, made) {
  const target = node.getAttribute("href") ?? "";
  if (!/^(https?:|mailto:)/i.test(target)) return;
  made.href = target;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
}
