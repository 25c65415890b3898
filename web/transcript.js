/** The conversation as a file to keep. */

/** @typedef {import("./conversation.js").Entry} Entry */

/** @param {Entry} entry @returns {string} what was heard of a reply */
export function heardText(entry) {
  return entry.text.slice(0, entry.heard).trim();
}

/**
 * @param {Entry[]} entries
 * @returns {string} one line for each thing said
 */
export function asText(entries) {
  const lines = entries.map((entry) => {
    const time = entry.at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    if (entry.role === "note") return `[${time}] (${entry.text})`;
    if (entry.role === "user") return `[${time}] You: ${entry.text}`;
    const cut = entry.status === "interrupted";
    return `[${time}] Agent: ${cut ? `${heardText(entry)} … (interrupted)` : entry.text}`;
  });
  return `${lines.join("\n")}\n`;
}

/**
 * @param {import("./conversation.js").Turn[]} turns
 * @param {import("./talk.js").Session[]} sessions
 * @returns {string} JSON with all that was heard, thought and said
 */
export function asJson(turns, sessions) {
  return JSON.stringify(
    {
      exported_at: new Date().toISOString(),
      sessions: sessions.map(({ session_id, engines, profile }) => ({
        session_id,
        engines,
        profile,
      })),
      turns: turns.map(({ user, reply }, index) => ({
        turn: index + 1,
        user: user && {
          at: user.at.toISOString(),
          text: user.text,
          typed: user.typed,
          paralinguistics: user.how,
        },
        thinking_while_listening: user?.draft ?? null,
        thinking: reply?.thought ?? null,
        reply: reply && {
          at: reply.at.toISOString(),
          text: reply.text,
          heard: reply.status === "interrupted" ? heardText(reply) : reply.text,
          status: reply.status,
        },
        latency_ms: reply?.latency ?? null,
      })),
    },
    null,
    2,
  );
}

/** @param {string} name @param {string} type @param {string} content starts a download */
export function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
