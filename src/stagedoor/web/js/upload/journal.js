/**
 * What is remembered of uploads across a reload: by which handles their files can be read again. It lives in this browser
 * (IndexedDB) and holds no bytes. Without it everything works, but for that; so no fault of it stops an upload.
 *
 * @typedef {{job: string, handles: Record<string, FileSystemHandle>}} Kept  handles by task
 */
const NAME = "stagedoor";
const STORE = "uploads";

/** @param {Kept} kept */
export function remember(kept) {
  return attempt("readwrite", (store) => store.put(kept));
}

/** @param {string} job @returns {Promise<Kept | undefined>} */
export function recall(job) {
  return attempt("readonly", (store) => store.get(job));
}

/** @param {string} job */
export function forget(job) {
  return attempt("readwrite", (store) => store.delete(job));
}

async function attempt(mode, act) {
  try {
    const database = await opened();
    return await answer(act(database.transaction(STORE, mode).objectStore(STORE)));
  } catch (error) {
    console.info("nothing can be kept in this browser:", error);
    return undefined;
  }
}

let opening;

function opened() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "job" });
    answer(request).then(resolve, reject);
  });
  return opening;
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
