/** What the server remembers of a person, and the person's hand on it. */

/**
 * @typedef {object} Memory
 * @property {string} id
 * @property {"fact"|"person"|"mood"|"helped"} kind
 * @property {string} text a clause that fits after "you told me that"
 * @property {string} at when it was told, ISO 8601
 */

/** @typedef {{user: string, memories: Memory[]}} Remembered the newest first */

/** @typedef {{name: string, key: string, token: string}} Identity with the server's own token */

/** The name is somebody else's as long as its key is not shown. */
export class Locked extends Error {}

/**
 * @param {Identity} identity
 * @returns {Promise<Remembered>}
 * @throws {Locked|Error} says why
 */
export async function recall(identity) {
  const answer = await ask("GET", "", identity);
  return answer.json();
}

/**
 * Erases what is remembered of a person.
 * @param {Identity} identity
 * @param {string} [id] of one memory; else all of them go
 * @throws {Locked|Error} if it stays; says why
 */
export async function forget(identity, id) {
  await ask("DELETE", id === undefined ? "" : `/${encodeURIComponent(id)}`, identity);
}

/**
 * @param {string} method
 * @param {string} path below the person's memory
 * @param {Identity} identity
 * @returns {Promise<Response>}
 */
async function ask(method, path, { name, key, token }) {
  const url = new URL(`v1/memory${path}`, document.baseURI);
  url.searchParams.set("user", name);
  /** @type {Record<string, string>} */
  const headers = {};
  if (key) headers["X-Voice-Agent-User-Key"] = key;
  if (token) headers.Authorization = `Bearer ${token}`;
  let answer;
  try {
    answer = await fetch(url, { method, headers, cache: "no-store" });
  } catch {
    throw new Error("The server cannot be reached. Please try again later.");
  }
  if (answer.ok || (method === "DELETE" && answer.status === 404)) return answer;
  const { error } = await answer.json().catch(() => ({}));
  if (error?.code === "invalid_user_key") throw new Locked(error.message);
  if (error?.code === "invalid_api_key") {
    throw new Error("The server asks for its token first: start a talk and give it there.");
  }
  throw new Error(error?.message ?? `The server answered ${answer.status}.`);
}
