/** What lies behind a turn: what was heard in the voice, the thoughts, and where the time went. */

import { byId, element } from "./dom.js";
import { emotionBars, ownEvidence, verdict } from "./emotion.js";
import { Plane } from "./plane.js";
import { thoughts } from "./thoughts.js";
import { voiceReading } from "./voice.js";

/** @typedef {import("../conversation.js").Turn} Turn */

const STAGES = /** @type {[string, string][]} */ ([
  ["endpoint", "Noticed that you were done"],
  ["asr_final", "Knew your words"],
  ["first_token", "Had the first word"],
  ["first_audio", "Had the first sound"],
  ["voice_to_voice", "Sent it"],
]);

/**
 * @param {Record<string, number|null>|null} latency
 * @returns {number|null} ms from the person's last word to the first sound from the loudspeaker
 */
export function wholeLatency(latency) {
  const sent = latency?.voice_to_voice ?? null;
  return sent === null ? null : sent + (latency?.playback ?? 0);
}

export class Panel {
  #conversation;
  /** @type {number|null} the turn that is looked at; null follows the newest */
  #chosen = null;
  #pending = 0;
  #plane = new Plane(byId("plane"));

  /** @param {import("../conversation.js").Conversation} conversation */
  constructor(conversation) {
    this.#conversation = conversation;
    for (const type of ["change", "removed", "cleared"]) {
      conversation.addEventListener(type, () => this.#soon());
    }
    byId("turn-before").onclick = () => this.#step(-1);
    byId("turn-after").onclick = () => this.#step(1);
    this.#render();
  }

  /** @param {import("../conversation.js").Entry} entry shows the turn that it belongs to */
  choose(entry) {
    const turns = this.#conversation.turns;
    this.#goTo(turns.findIndex((turn) => turn.user === entry || turn.reply === entry));
  }

  /** @param {number} by */
  #step(by) {
    const last = this.#conversation.turns.length - 1;
    this.#goTo(Math.min(last, Math.max(0, (this.#chosen ?? last) + by)));
  }

  /** @param {number} index */
  #goTo(index) {
    this.#chosen = index === this.#conversation.turns.length - 1 ? null : index;
    this.#render();
  }

  /** Captions change many times a second; the panel follows once a frame. */
  #soon() {
    if (this.#pending) return;
    this.#pending = requestAnimationFrame(() => {
      this.#pending = 0;
      this.#render();
    });
  }

  #render() {
    const turns = this.#conversation.turns;
    if (this.#chosen !== null && this.#chosen >= turns.length) this.#chosen = null;
    const index = this.#chosen ?? turns.length - 1;
    const turn = turns[index];
    byId("turn-title").textContent = turn ? `Turn ${index + 1} of ${turns.length}` : "No turn yet";
    byId("turn-before").disabled = index <= 0;
    byId("turn-after").disabled = index >= turns.length - 1;
    this.#renderMood(turns, index);
    byId("voice").replaceChildren(...voice(turn));
    byId("thought").replaceChildren(...thoughts(turn));
    byId("latency").replaceChildren(...stages(turn));
  }

  /** @param {Turn[]} turns @param {number} index the plane also shows the turns before this one */
  #renderMood(turns, index) {
    const trails = turns.slice(0, index + 1).map(({ user }) => user?.trail ?? []);
    const moods = trails.pop() ?? [];
    this.#plane.show(moods, trails);
    const how = turns[index]?.user?.how;
    byId("mood").hidden = !how && !trails.some((trail) => trail.length);
    byId("verdict").replaceChildren(...(how ? [verdict(how)] : []));
    byId("emotions").replaceChildren(...(how ? [...emotionBars(how), ...ownEvidence(how)] : []));
  }
}

/** @param {string} text @returns {Node[]} */
function none(text) {
  return [element("p", "none", text)];
}

/** @param {Turn|undefined} turn @returns {Node[]} */
function voice(turn) {
  if (turn?.user?.typed) return none("You typed, so there was no voice to hear.");
  if (!turn?.user?.how) return none("Pitch, loudness, pace and pauses appear here as you speak.");
  return voiceReading(turn.user.how);
}

/** @param {Turn|undefined} turn @returns {Node[]} */
function stages(turn) {
  const latency = turn?.reply?.latency;
  const whole = wholeLatency(latency ?? null);
  if (!latency || whole === null) return none("Counted from the end of your last word.");
  const list = element("dl", "stages");
  for (const [key, name] of STAGES) {
    if (latency[key] != null) list.append(stage(name, latency[key], whole));
  }
  const last = stage("You heard it", whole, whole);
  last.classList.add("whole");
  list.append(last);
  return [list];
}

/** @param {string} name @param {number} ms @param {number} whole @returns {HTMLElement} */
function stage(name, ms, whole) {
  const bar = element("span", "bar");
  bar.style.width = `${Math.min(100, Math.max(1, (100 * ms) / Math.max(1, whole)))}%`;
  const value = element("dd", "", `${Math.round(ms)} ms`);
  return element("div", "", element("dt", "", name), value, element("span", "scale", bar));
}
