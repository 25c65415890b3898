/** Conversations as the server keeps them after they ended. */

/** @typedef {import("./talk.js").Session} Session */

/**
 * Erases one that is not running any more.
 * @param {Session} session
 * @throws {Error} if it stays; says why
 */
export async function eraseConversation({ session_id, secret }) {
  const url = new URL(`v1/conversations/${session_id}`, document.baseURI);
  const headers = { Authorization: `Bearer ${secret}` };
  let answer;
  try {
    answer = await fetch(url, { method: "DELETE", headers });
  } catch {
    throw new Error("the server cannot be reached. Please try again later.");
  }
  if (answer.ok || answer.status === 404) return;
  if (answer.status === 409) {
    throw new Error("the part before the break is still being closed. Please try again shortly.");
  }
  throw new Error(`the server answered ${answer.status}.`);
}
