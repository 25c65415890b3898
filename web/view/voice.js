/** How the words were spoken: what was measured, in words and small bars. */

import { element } from "./dom.js";
import { percent, ranked } from "./emotion.js";

/** @typedef {import("../conversation.js").Paralinguistics} Paralinguistics */

/** Measures against the speaker's own baseline: how far the scale goes, and what is notable. */
const MEASURES = [
  {
    name: "Pitch",
    value: "pitch_hz",
    shift: "pitch_shift_st",
    show: (/** @type {number} */ v) => `${Math.round(v)} Hz`,
    reach: 6,
    notable: 1,
    words: ["lower", "higher"],
  },
  {
    name: "Level",
    value: "level_db",
    shift: "level_shift_db",
    show: (/** @type {number} */ v) => `${Math.round(v)} dB`.replace("-", "−"),
    reach: 12,
    notable: 2,
    words: ["quieter", "louder"],
  },
  {
    name: "Pace",
    value: "syllable_rate",
    shift: "rate_shift",
    show: (/** @type {number} */ v) => `${v.toFixed(1)} syllables/s`,
    ratio: true,
    reach: 0.5,
    notable: 0.12,
    words: ["slower", "faster"],
  },
];

/** Below this, a measurement is worth no more than a guess. */
const SURE = 0.4;

const PHONATION = { whisper: "whispered", shout: "shouted" };

/** @param {Paralinguistics} how @returns {Node[]} */
export function voiceReading(how) {
  const list = element("dl", "measures");
  for (const [label, share] of ranked(how.manner.phonation).slice(0, 1)) {
    const word = PHONATION[label];
    if (word) list.append(row("Voice", `${word} (${percent(share)})`));
  }
  for (const measure of MEASURES) list.append(...shiftRow(measure, how.manner));
  const { pitch_low_hz: low, pitch_high_hz: high, pause_share: pauses } = how.manner;
  if (low != null && high != null) {
    list.append(row("Range", `${Math.round(low)} to ${Math.round(high)} Hz`));
  }
  if (pauses != null) list.append(row("Pauses", `${percent(pauses)} of the time`));
  const sounds = (how.events ?? []).filter(({ label }) => label !== "other");
  if (sounds.length) list.append(row("Sounds", told(sounds)));
  if (!list.childElementCount) {
    list.append(element("p", "none", "Too little speech to tell anything yet."));
  }
  return [list, ...speaker(how)];
}

/** @param {string} name @param {string} text @returns {HTMLElement} */
function row(name, text) {
  return element("div", "measure", element("dt", "", name), element("dd", "", text));
}

/**
 * @param {typeof MEASURES[0]} measure
 * @param {Paralinguistics["manner"]} manner
 * @returns {HTMLElement[]} nothing where it was not measured
 */
function shiftRow(measure, manner) {
  const value = manner[measure.value];
  if (value == null) return [];
  const sure = (/** @type {string} */ name) => (manner.confidence?.[name] ?? 1) >= SURE;
  const shown = `${sure(measure.value) ? "" : "about "}${measure.show(value)}`;
  const shift = manner[measure.shift];
  if (shift == null || !sure(measure.shift)) return [row(measure.name, shown)];
  const change = measure.ratio ? shift - 1 : shift;
  const [less, more] = measure.words;
  const compared =
    Math.abs(change) < measure.notable ? "as usual" : `${change < 0 ? less : more} than usual`;
  const made = row(measure.name, `${shown}, ${compared}`);
  const bar = element("span", "bar");
  const share = Math.max(-1, Math.min(1, change / measure.reach)) * 50;
  bar.style.left = `${50 + Math.min(0, share)}%`;
  bar.style.width = `${Math.abs(share)}%`;
  const scale = element("span", "scale", element("span", "middle"), bar);
  scale.setAttribute("aria-hidden", "true");
  made.append(scale);
  return [made];
}

/**
 * @param {import("../conversation.js").VocalEvent[]} sounds
 * @returns {string} each once, with how often it came and how sure the surest was
 */
function told(sounds) {
  /** @type {Map<string, number[]>} */
  const found = new Map();
  for (const { label, confidence } of sounds) {
    found.set(label, [...(found.get(label) ?? []), confidence]);
  }
  const parts = [...found].map(([label, sure]) => {
    const times = sure.length > 1 ? ` ×${sure.length}` : "";
    return `${label}${times} (${percent(Math.max(...sure))})`;
  });
  return parts.join(", ");
}

/** @param {Paralinguistics} how @returns {HTMLElement[]} a discreet line, where anything is known */
function speaker(how) {
  const guesses = [how.age, how.gender].flatMap((guess) => ranked(guess).slice(0, 1));
  if (!guesses.length) return [];
  const text = guesses.map(([label, share]) => `${label} (${percent(share)})`).join(", ");
  return [element("p", "small speaker", `The speaker is perhaps ${text}.`)];
}
