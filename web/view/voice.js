/** A reading of the voice in words and small pictures, as sure as it is and no more. */

import { element, svg } from "./dom.js";

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

/** @param {Paralinguistics} how @returns {Node[]} */
export function voiceReading(how) {
  const list = element("dl", "measures");
  for (const measure of MEASURES) {
    const value = how.manner[measure.value];
    if (value != null) list.append(shiftRow(measure, value, how.manner[measure.shift]));
  }
  const pauses = how.manner.pause_share;
  if (pauses != null) list.append(row("Pauses", `${Math.round(100 * pauses)} % of the time`));
  for (const line of otherSounds(how)) list.append(line);
  if (!list.childElementCount) {
    list.append(element("p", "none", "Too little speech to tell anything yet."));
  }
  return [list, tendency(how)];
}

/** @param {string} name @param {string} text @returns {HTMLElement} */
function row(name, text) {
  return element("div", "measure", element("dt", "", name), element("dd", "", text));
}

/**
 * @param {typeof MEASURES[0]} measure
 * @param {number} value
 * @param {number|null|undefined} shift against the baseline, where there is one
 * @returns {HTMLElement}
 */
function shiftRow(measure, value, shift) {
  if (shift == null) return row(measure.name, measure.show(value));
  const change = measure.ratio ? shift - 1 : shift;
  const [less, more] = measure.words;
  const compared =
    Math.abs(change) < measure.notable ? "as usual" : `${change < 0 ? less : more} than usual`;
  const made = row(measure.name, `${measure.show(value)}, ${compared}`);
  const bar = element("span", "bar");
  const share = Math.max(-1, Math.min(1, change / measure.reach)) * 50;
  bar.style.left = `${50 + Math.min(0, share)}%`;
  bar.style.width = `${Math.abs(share)}%`;
  const scale = element("span", "scale", element("span", "middle"), bar);
  scale.setAttribute("aria-hidden", "true");
  made.append(scale);
  return made;
}

/** @param {Paralinguistics} how @returns {HTMLElement[]} */
function otherSounds(how) {
  const rows = [];
  const sounds = (how.events ?? []).map((event) => event.label);
  if (sounds.length) rows.push(row("Sounds", [...new Set(sounds)].join(", ")));
  const speaker = [how.age, how.gender].map((guess) => ranked(guess)[0]).filter(Boolean);
  if (speaker.length) {
    const guesses = speaker.map(([label, p]) => `${label} ${percent(p)}`).join(", ");
    rows.push(row("Speaker", `perhaps ${guesses}`));
  }
  return rows;
}

/**
 * @param {Record<string, number>|undefined} posterior
 * @returns {[string, number][]} likeliest first
 */
function ranked(posterior) {
  return Object.entries(posterior ?? {}).sort((a, b) => b[1] - a[1]);
}

/** @param {number} share @returns {string} */
function percent(share) {
  return `${Math.round(100 * share)} %`;
}

/** @param {Paralinguistics} how @returns {HTMLElement} */
function tendency(how) {
  const [first, ...others] = ranked(how.emotion);
  const words = element("div", "");
  if (!first) {
    words.append(element("p", "verdict uncertain", "No tendency: uncertain"));
  } else if (how.uncertain) {
    words.append(
      element("p", "verdict uncertain", `Uncertain, perhaps ${first[0]} (${percent(first[1])})`),
    );
  } else {
    words.append(element("p", "verdict", `Sounds ${first[0]} (${percent(first[1])})`));
  }
  const list = element("ul", "");
  for (const [label, share] of others.slice(0, 2)) {
    if (share >= 0.05) list.append(element("li", "", `${label} ${percent(share)}`));
  }
  words.append(list);
  const made = element("div", "tendency");
  if (how.valence || how.arousal) made.append(moodField(how));
  made.append(words);
  return made;
}

/**
 * @param {Paralinguistics} how
 * @returns {SVGElement} unpleasant to pleasant across, calm to excited upwards
 */
function moodField({ valence, arousal, uncertain }) {
  const opacity = uncertain ? 0.35 : 1;
  const x = 50 + 40 * (valence?.value ?? 0);
  const y = 50 - 40 * (arousal?.value ?? 0);
  const parts = [];
  if (valence) parts.push(valence.value < 0 ? "rather unpleasant" : "rather pleasant");
  if (arousal) parts.push(arousal.value < 0 ? "rather calm" : "rather excited");
  return svg(
    "svg",
    { viewBox: "0 0 100 100", role: "img", "aria-label": `Mood: ${parts.join(", ")}` },
    svg("rect", { x: 0, y: 0, width: 100, height: 100, rx: 12 }),
    svg("line", { x1: 50, y1: 14, x2: 50, y2: 86 }),
    svg("line", { x1: 6, y1: 50, x2: 94, y2: 50 }),
    svg("text", { x: 50, y: 10, "text-anchor": "middle" }, "excited"),
    svg("text", { x: 50, y: 96, "text-anchor": "middle" }, "calm"),
    svg("text", { x: 5, y: 60 }, "–"),
    svg("text", { x: 90, y: 60 }, "+"),
    svg("circle", { cx: x, cy: y, r: uncertain ? 20 : 13, opacity: 0.25 }),
    svg("circle", { cx: x, cy: y, r: 6, opacity }),
  );
}
