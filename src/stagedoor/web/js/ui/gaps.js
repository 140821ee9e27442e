/** A small picture of a sequence that shows where frames are missing; the words beside it say the same. */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000;
/** A gap of one frame in ten thousand is to be seen, too. */
const LEAST = 6;

/** @param {{first: number, last: number, gaps: [number, number][]}} sequence */
export function gaps({ first, last, gaps: missing }) {
  const svg = document.createElementNS(SVG, "svg");
  const frame = WIDTH / (last - first + 1);
  for (const [name, value] of Object.entries({ class: "gaps", viewBox: `0 0 ${WIDTH} 8`, preserveAspectRatio: "none", "aria-hidden": "true" })) svg.setAttribute(name, value);
  svg.append(block("there", 0, WIDTH));
  let drawn = -1;
  for (const [from, to] of missing) {
    const start = Math.min((from - first) * frame, WIDTH - LEAST);
    const end = Math.max((to - first + 1) * frame, start + LEAST);
    if (end <= drawn) continue; // of thousands of gaps only those that can be told apart
    svg.append(block("missing", start, end));
    drawn = end;
  }
  return svg;
}

function block(kind, start, end) {
  const made = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ class: kind, x: start, y: 0, width: end - start, height: 8 })) made.setAttribute(name, String(value));
  return made;
}
