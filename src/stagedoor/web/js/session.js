/** Who is signed in. `me` is what `GET /me` answers; null until that is known, and where nobody is. */
export const session = { /** @type {any} */ me: null };
