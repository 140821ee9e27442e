/** One part on its way to the server, in a worker. */

/** Without a byte going out for so long a connection is cut; without an answer, the second. */
const STALLED = 30_000;
const UNANSWERED = 90_000;

/**
 * @typedef {object} Answer
 * @property {number} status   0 where the connection broke
 * @property {any} body
 * @property {number} retryAfter  seconds
 */

/** @param {BufferSource} bytes @returns {Promise<string>} the value of Content-Digest */
export async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha-256=:${btoa(String.fromCharCode(...hash))}:`;
}

/**
 * @param {import("./plan.js").Part} part
 * @param {number} total  size of the tape
 * @param {ArrayBuffer} bytes
 * @param {string} hash   value of Content-Digest
 * @param {(sent: number) => void} tell  bytes that have gone out
 * @param {(request: XMLHttpRequest) => void} opened
 * @returns {Promise<Answer>}
 */
export function send(part, total, bytes, hash, tell, opened) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    opened(request);
    let timer = setTimeout(() => request.abort(), STALLED);
    const wait = (milliseconds) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), milliseconds);
    };
    request.upload.onprogress = ({ loaded }) => {
      wait(loaded < bytes.byteLength ? STALLED : UNANSWERED);
      tell(loaded);
    };
    request.onloadend = () => {
      clearTimeout(timer);
      resolve(answerOf(request));
    };
    request.open("PUT", `/api/v1/uploads/${part.upload}`);
    request.setRequestHeader("X-Stagedoor-Page", "1");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Content-Range", `bytes ${part.start}-${part.end - 1}/${total}`);
    request.setRequestHeader("Content-Digest", hash);
    request.send(bytes);
  });
}

/** What the upload misses now; null where nobody answers. @returns {Promise<Answer>} */
export async function ask(upload) {
  try {
    const response = await fetch(`/api/v1/uploads/${upload}`, { cache: "no-store", signal: AbortSignal.timeout(STALLED) });
    return { status: response.status, body: await response.json(), retryAfter: Number(response.headers.get("Retry-After")) || 0 };
  } catch {
    return { status: 0, body: null, retryAfter: 0 };
  }
}

/** @returns {Answer} */
function answerOf(request) {
  let body = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // A proxy in between answers in a language of its own.
  }
  return { status: request.status, body, retryAfter: Number(request.getResponseHeader("Retry-After")) || 0 };
}
