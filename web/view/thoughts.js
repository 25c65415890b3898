/** What was thought of a turn: while it was spoken, and then for good. */

import { element } from "./dom.js";
import { swatch } from "./palette.js";

/** @typedef {import("../conversation.js").Thought} Thought */

/** Words and voice that contradict one another less than this are not worth a word. */
const TOLD_FROM = 0.3;

const ADJECTIVES = new Map([
  ["anger", "angry"],
  ["fear", "afraid"],
  ["disgust", "disgusted"],
  ["surprise", "surprised"],
]);

/** @param {import("../conversation.js").Turn|undefined} turn @returns {Node[]} */
export function thoughts(turn) {
  if (turn?.reply?.thought) return [heard(turn.reply.thought), answer(turn.reply.thought)];
  const { draft, status } = turn?.user ?? {};
  if (!draft) {
    return [element("p", "none", "Its thoughts about your words and your voice appear here.")];
  }
  const when = status === "live" ? "While you speak, so far" : "Thought while you spoke";
  const made = [element("p", "drafting", when), heard(draft), answer(draft)];
  for (const list of made.slice(1)) list.classList.add("draft");
  return made;
}

/** @param {Thought} thought @returns {HTMLElement} what was made of the turn */
function heard(thought) {
  const { linguistic, stimulus, appraisal, need, paralinguistic, conflict } = thought;
  return list([
    ["What was said", linguistic],
    ["Because of", stimulus && `“${stimulus}”`],
    ["Appraisal", appraisal],
    ["Need", need],
    ["How it was said", sentence(paralinguistic)],
    ["Conflict", sentence(conflict) || contrast(thought)],
  ]);
}

/** @param {Thought} thought @returns {HTMLElement} what it led to */
function answer({ stage, strategy, reason, reply_emotion: emotion, style }) {
  const dot = element("span", "swatch");
  dot.style.background = swatch(emotion);
  return list([
    ["Stage", sentence(stage)],
    ["Strategy", strategy && [strategy, ...(reason ? [element("p", "small", sentence(reason))] : [])]],
    ["Tone", emotion && [element("span", "tone", dot, emotion)]],
    ["Style", style],
  ]);
}

/** @param {[string, string|(Node|string)[]|undefined][]} rows @returns {HTMLElement} those that say something */
function list(rows) {
  const told = rows.filter(([, content]) => content?.length);
  return element(
    "dl",
    "thoughts",
    ...told.map(([name, content]) =>
      element("div", "", element("dt", "", name), element("dd", "", ...[content].flat())),
    ),
  );
}

/** @param {string} [text] @returns {string} with a capital letter at its beginning */
function sentence(text = "") {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * @param {Thought} thought
 * @returns {string} where words and voice tell of different feelings, which; else nothing
 */
function contrast({ words_emotion, voice_emotion, disagreement }) {
  if (disagreement == null || disagreement < TOLD_FROM) return "";
  const sounds = (/** @type {string} */ label) => ADJECTIVES.get(label) ?? label;
  return `Your words sound ${sounds(words_emotion ?? "")}, your voice ${sounds(voice_emotion ?? "")}.`;
}
