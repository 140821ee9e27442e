/** Passkeys: what the server sends as JSON, as the browser wants it, and back. */

/** What went wrong between the browser and the device, in words for people; browsers have none. */
export class PasskeyTrouble extends Error {}

const TROUBLE = {
  NotAllowedError: "No passkey was chosen. Try again, or choose another way.",
  InvalidStateError: "This device has a passkey for this account already.",
  SecurityError: "This browser can have no passkey for this address. Choose another way.",
  NotSupportedError: "This device cannot make such a passkey. Choose another way.",
};

/**
 * Whether passkeys can be had at this address. The server answers for its public URL; by which name or number it was
 * reached, the browser knows.
 *
 * @param {{passkeys: boolean}} studio what `GET /sign-in` answers
 */
export function passkeysWork(studio) {
  const byNumber = /^[\d.]+$|^\[/.test(location.hostname);
  return Boolean(studio.passkeys && !byNumber && globalThis.PublicKeyCredential && navigator.credentials);
}

/** Sign in with a passkey that the user chooses; what the server is to check. */
export const assertion = (options) => asked(() => navigator.credentials.get({ publicKey: read(options) }));

/** Make a passkey; what the server is to keep. */
export const attestation = (options) => asked(() => navigator.credentials.create({ publicKey: read(options) }));

async function asked(act) {
  try {
    return written(await act());
  } catch (error) {
    throw TROUBLE[error.name] ? new PasskeyTrouble(TROUBLE[error.name]) : error;
  }
}

function read(options) {
  const listed = (items) => items?.map((item) => ({ ...item, id: toBytes(item.id) }));
  return {
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user ? { user: { ...options.user, id: toBytes(options.user.id) } } : {}),
    ...(options.allowCredentials ? { allowCredentials: listed(options.allowCredentials) } : {}),
    ...(options.excludeCredentials ? { excludeCredentials: listed(options.excludeCredentials) } : {}),
  };
}

function written(credential) {
  const { response } = credential;
  const fields = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) fields[name] = toText(response[name]);
  }
  if (response.getTransports) fields.transports = response.getTransports();
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: fields,
  };
}

function toBytes(text) {
  const plain = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
}

function toText(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
