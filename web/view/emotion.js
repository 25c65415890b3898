/** The emotion heard in a voice, in words and bars, as sure as it is and no more. */

import { element } from "./dom.js";

/** @typedef {import("../conversation.js").Paralinguistics} Paralinguistics */

/** In this order always, so that the bars grow and shrink but never change places. */
const ORDER = ["neutral", "happy", "surprise", "sad", "fear", "anger", "disgust", "other"];

/**
 * @param {Record<string, number>|undefined} posterior
 * @returns {[string, number][]} likeliest first
 */
export function ranked(posterior) {
  return Object.entries(posterior ?? {}).sort((a, b) => b[1] - a[1]);
}

/** @param {number} share @returns {string} */
export function percent(share) {
  return `${Math.round(100 * share)}\u00a0%`;
}

/** @param {Paralinguistics} how @returns {HTMLElement} the likeliest, said plainly */
export function verdict(how) {
  const [first] = ranked(how.emotion);
  if (!first) return element("p", "verdict uncertain", "No tendency: uncertain");
  const [label, share] = first;
  const calm = label === "neutral" && (how.calm ?? 0) > share / 2;
  const name = `${calm ? "neutral and calm" : label} (${percent(share)})`;
  if (how.uncertain) return element("p", "verdict uncertain", `Uncertain, perhaps ${name}`);
  return element("p", "verdict", `Sounds ${name}`);
}

/** @param {Paralinguistics} how @returns {HTMLElement[]} a bar for each emotion, none if unknown */
export function emotionBars({ emotion, calm = 0, uncertain }) {
  const names = Object.keys(emotion ?? {});
  if (!names.length) return [];
  const labels = [
    ...ORDER.filter((label) => names.includes(label)),
    ...names.filter((label) => !ORDER.includes(label)),
  ];
  const list = element("ul", uncertain ? "emotions uncertain" : "emotions");
  for (const label of labels) {
    const row = element("li", "", element("span", "", label));
    const scale = element("span", "scale", bar(emotion[label]));
    scale.setAttribute("aria-hidden", "true");
    row.append(scale, element("span", "share", percent(emotion[label])));
    if (label === "neutral" && calm > 0.005) {
      const shade = bar(calm);
      shade.classList.add("calm");
      scale.append(shade);
      scale.title = `${percent(calm)} of it calm`;
      row.append(element("span", "visually-hidden", `, ${percent(calm)} of it calm`));
    }
    list.append(row);
  }
  return [list];
}

/** @param {number} share @returns {HTMLElement} */
function bar(share) {
  const made = element("span", "bar");
  made.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  return made;
}

/** @param {Paralinguistics} how @returns {HTMLElement[]} where this turn alone says otherwise */
export function ownEvidence({ emotion, evidence }) {
  const [believed] = ranked(emotion);
  const [alone] = ranked(evidence);
  if (!believed || !alone || believed[0] === alone[0]) return [];
  const text = `This turn alone sounds more ${alone[0]} (${percent(alone[1])}).`;
  return [element("p", "small", text)];
}
