/**
 * Calls to the server: the same REST calls that everybody has (docs/api.md), with the session's cookie.
 *
 * - `Refusal`      the server said no: `code` is stable, `message` is a sentence for people, `details` belongs to the code
 * - `Unreachable`  no answer came; whoever asks may try again
 */

const V1 = "/api/v1";
/** Sent with every call: a page of another origin could not. */
const HEADERS = { "X-Stagedoor-Page": "1" };

export class Refusal extends Error {
  /** @param {number} status @param {{code: string, message: string, details?: object, request_id?: string}} answer @param {number} retryAfter seconds */
  constructor(status, answer, retryAfter = 0) {
    super(answer.message);
    this.status = status;
    this.code = answer.code;
    this.details = answer.details ?? {};
    this.requestId = answer.request_id ?? "";
    this.retryAfter = retryAfter;
  }
}

export class Unreachable extends Error {
  constructor() {
    super("The server does not answer. Is this computer online?");
  }
}

/** Told when a call is answered that nobody is signed in. @type {() => void} */
let whenSignedOut = () => {};

export function onSignedOut(listener) {
  whenSignedOut = listener;
}

/** The address of a call: `address("/jobs", {limit: 50, where: undefined})`. */
export function address(path, query = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return V1 + path + (text ? `?${text}` : "");
}

/**
 * One call, with a body that is to become JSON, or is JSON in a Blob already; resolves to the JSON of the answer, or null where it carries none. Throws Refusal, Unreachable, or AbortError.
 *
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{body?: unknown, query?: Record<string, unknown>, signal?: AbortSignal, headers?: Record<string, string>}} [options]
 */
export async function call(method, path, { body, query, signal, headers = {} } = {}) {
  /** @type {RequestInit & {headers: Record<string, string>}} */
  const options = { method, signal, headers: { ...HEADERS, ...headers }, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) {
    options.body = body instanceof Blob ? body : JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const to = address(path, query);
  try {
    const response = await fetch(to, options);
    if (!response.ok) throw await refusal(response);
    return response.status === 204 ? null : await response.json();
  } catch (error) {
    // An answer that is cut off, or does not come in time, is none.
    throw error instanceof Refusal || error.name === "AbortError" ? error : new Unreachable();
  }
}

/** What a response that is not a success says. */
export async function refusal(response) {
  let answer;
  try {
    answer = await response.json();
  } catch {
    // A proxy in between answers in a language of its own.
  }
  if (!answer?.code) answer = { code: "no_answer", message: `The server, or a proxy in front of it, answered ${response.status}.` };
  const refused = new Refusal(response.status, answer, Number(response.headers.get("Retry-After")) || 0);
  if (response.status === 401 && refused.code === "sign_in_refused") whenSignedOut();
  return refused;
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, body = {}, options = {}) => call("POST", path, { ...options, body });
export const put = (path, body = {}, options = {}) => call("PUT", path, { ...options, body });
export const patch = (path, body = {}, options = {}) => call("PATCH", path, { ...options, body });
export const remove = (path, options) => call("DELETE", path, options);
