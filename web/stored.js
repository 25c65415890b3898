/** Conversations as the server keeps them after they ended. */

/**
 * Erases one that is not running any more.
 * @param {import("./talk.js").Session} session
 * @throws {Error} if it stays
 */
export async function eraseConversation({ session_id, secret }) {
  const url = new URL(`v1/conversations/${session_id}`, document.baseURI);
  const headers = { Authorization: `Bearer ${secret}` };
  const answer = await fetch(url, { method: "DELETE", headers });
  if (!answer.ok && answer.status !== 404) throw new Error((await answer.json()).error.message);
}
