/** Who is signed in. `me` is what `GET /me` answers; null until that is known, and where nobody is. */
export const session = { /** @type {any} */ me: null };

/** The secret of a link: behind the `#` of the address, or kept for a reload. A shorter word there is none, such as `#main`. @returns {string | undefined} */
export function secretOfLink() {
  const word = location.hash.slice(1);
  return /^[\w-]{40,}$/.test(word) ? word : history.state?.token;
}
