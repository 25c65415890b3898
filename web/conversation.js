/** What was said by both sides, how it was heard and what was thought: a model without any view. */

import { Pacing } from "./pacing.js";

/** @typedef {{value: number, confidence: number}} Estimate */

/**
 * @typedef {object} VocalEvent times in seconds of received audio since the session began
 * @property {string} label
 * @property {number} start
 * @property {number} end
 * @property {number} confidence
 */

/**
 * @typedef {object} Paralinguistics see `voice_agent.paralinguistics`
 * @property {Record<string, any>} manner numbers or null by name, and the two below
 * @property {Record<string, number>} [manner.phonation]
 * @property {Record<string, number>} [manner.confidence] of each number
 * @property {Record<string, number>} emotion
 * @property {Record<string, number>} [evidence] of this turn alone
 * @property {number} [calm] part of the neutral
 * @property {Estimate|null} valence
 * @property {Estimate|null} arousal
 * @property {Estimate|null} dominance
 * @property {Record<string, number>} gender
 * @property {Record<string, number>} age
 * @property {VocalEvent[]} events
 * @property {boolean} uncertain
 */

/** @typedef {Pick<Paralinguistics, "valence"|"arousal"|"uncertain">} Mood */

/**
 * @typedef {object} Thought see `voice_agent.thought`; what was not thought of is empty
 * @property {string} linguistic what was said
 * @property {string} paralinguistic how it was said
 * @property {string} [stimulus] what brought the feeling about, in the person's own words
 * @property {string} [appraisal]
 * @property {string} [need]
 * @property {string} [conflict] of words and voice
 * @property {string} [stage] of the conversation
 * @property {string} strategy
 * @property {string} [reason] for the strategy
 * @property {string} reply_emotion
 * @property {string} style
 * @property {string} [words_emotion] what the words alone tell of; empty where nothing
 * @property {string} [voice_emotion] what the voice alone shows; empty where nothing
 * @property {number|null} [disagreement] how far they contradict each other, in [0, 1]
 */

/**
 * @typedef {object} Entry
 * @property {string} key
 * @property {string|null} id item id on the wire
 * @property {"user"|"agent"|"note"} role
 * @property {string} text
 * @property {string} stable leading part of a live caption that stays
 * @property {"live"|"done"|"interrupted"|"failed"} status
 * @property {boolean} typed
 * @property {Date} at
 * @property {string|null} response
 * @property {number} heard characters of a reply that were heard
 * @property {Pacing} pacing
 * @property {Paralinguistics|null} how
 * @property {Mood[]} trail the newest moods of the turn, the last one that of `how`
 * @property {Thought|null} draft of a turn: what was thought of it while it was spoken
 * @property {Thought|null} thought of a reply: what led to it
 * @property {Record<string, number|null>|null} latency in ms
 */

/** @typedef {{user: Entry|null, reply: Entry|null}} Turn */

const LONGEST_TRAIL = 24;
const TRAILS = 12; // turns whose way is kept; of older ones, where they ended

/** Events: `change` (detail: the entry), `removed` (detail: the entry), `cleared`. */
export class Conversation extends EventTarget {
  /** @type {Entry[]} */
  entries = [];
  #made = 0;
  /** @type {Map<string, Thought>} thoughts that came before their reply */
  #thoughts = new Map();

  /** @returns {Turn[]} */
  get turns() {
    /** @type {Turn[]} */
    const turns = [];
    for (const entry of this.entries) {
      const last = turns.at(-1);
      if (entry.role === "user") turns.push({ user: entry, reply: null });
      else if (entry.role === "agent" && last && !last.reply) last.reply = entry;
      else if (entry.role === "agent") turns.push({ user: null, reply: entry });
    }
    return turns;
  }

  /** @param {string} id @returns {Entry|undefined} */
  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /** @param {string} response @returns {Entry|undefined} */
  replyOf(response) {
    return this.entries.find((entry) => entry.response === response);
  }

  /** @param {string} text a remark between the turns */
  note(text) {
    this.#changed(this.#add({ role: "note", text, status: "done" }));
  }

  clear() {
    this.entries = [];
    this.#thoughts.clear();
    this.dispatchEvent(new Event("cleared"));
  }

  /** @param {string} id the person begins to speak */
  hear(id) {
    this.#changed(this.#user(id));
  }

  /** @param {string} id @param {string} text whole hypothesis @param {string} stable */
  caption(id, text, stable) {
    const entry = this.#user(id);
    if (entry.status !== "live") return;
    entry.text = text;
    const kept = stable.startsWith(entry.stable) ? stable : entry.stable; // what is sure stays so
    entry.stable = text.startsWith(kept) ? kept : stable;
    this.#changed(entry);
  }

  /** @param {string} id @param {string} delta for servers that caption by deltas alone */
  captionDelta(id, delta) {
    const entry = this.#user(id);
    if (entry.status !== "live") return;
    const stable = entry.stable + delta;
    this.caption(id, entry.text.startsWith(stable) ? entry.text : stable, stable);
  }

  /** @param {string} id @param {string} text the final words */
  transcribed(id, text) {
    const entry = this.#user(id);
    entry.text = entry.stable = text.trim();
    entry.status = "done";
    if (entry.text) this.#changed(entry);
    else this.remove(id);
  }

  /** @param {string} id @param {string} text */
  typed(id, text) {
    if (this.find(id)) return;
    const entry = this.#add({ id, role: "user", text, stable: text, typed: true, status: "done" });
    this.#changed(entry);
  }

  /** @param {string} id @param {Paralinguistics} how */
  heardHow(id, how) {
    const entry = this.find(id);
    if (!entry) return;
    entry.how = how;
    const { valence, arousal, uncertain } = how;
    if (valence || arousal) {
      entry.trail = [...entry.trail, { valence, arousal, uncertain }].slice(-LONGEST_TRAIL);
    }
    this.#changed(entry);
  }

  /** @param {string} id @param {Thought} thought of the turn so far */
  consider(id, thought) {
    const entry = this.find(id);
    if (!entry) return;
    entry.draft = thought;
    this.#changed(entry);
  }

  /** @param {string} response @param {string} id a reply begins */
  reply(response, id) {
    if (this.find(id)) return;
    const thought = this.#thoughts.get(response) ?? null;
    this.#thoughts.delete(response);
    this.#changed(this.#add({ id, role: "agent", response, thought }));
  }

  /** @param {string} id @param {string} delta */
  replyText(id, delta) {
    const entry = this.find(id);
    if (!entry || entry.status !== "live") return;
    entry.pacing.text(delta);
    entry.text += delta;
    this.#changed(entry);
  }

  /** @param {string} id @param {number} samples of audio at 24 kHz that came */
  replyAudio(id, samples) {
    this.find(id)?.pacing.audio(samples);
  }

  /** @param {string} id @param {number} samples played so far */
  played(id, samples) {
    const entry = this.find(id);
    if (!entry || entry.status === "interrupted") return;
    const heard = Math.max(entry.heard, wholeWord(entry.text, entry.pacing.charactersAt(samples)));
    if (heard === entry.heard) return;
    entry.heard = heard;
    this.#changed(entry);
  }

  /** @param {string} id all of a reply's text and audio has come */
  replyComplete(id) {
    const entry = this.find(id);
    if (!entry) return;
    entry.pacing.complete();
    if (entry.status === "live") entry.status = "done";
    if (entry.pacing.samples === 0) entry.heard = entry.text.length;
    this.#changed(entry);
  }

  /**
   * The reply ends early; one of which nothing was heard never was.
   * @param {string} id
   * @param {"interrupted"|"failed"} status
   */
  cut(id, status) {
    const entry = this.find(id);
    if (!entry || entry.status === status) return;
    entry.status = status;
    if (entry.heard === 0) this.remove(id);
    else this.#changed(entry);
  }

  /** @param {string} response @param {Thought} thought */
  think(response, thought) {
    const entry = this.replyOf(response);
    if (!entry) {
      this.#thoughts.set(response, thought);
      return;
    }
    entry.thought = thought;
    this.#changed(entry);
  }

  /** @param {string} response @param {Record<string, number|null>} latency in ms, by stage */
  timed(response, latency) {
    const entry = this.replyOf(response);
    if (!entry) return;
    entry.latency = { ...entry.latency, ...latency };
    this.#changed(entry);
  }

  /** @param {string} id */
  remove(id) {
    const entry = this.find(id);
    if (!entry) return;
    this.entries = this.entries.filter((other) => other !== entry);
    this.dispatchEvent(new CustomEvent("removed", { detail: entry }));
  }

  /** The connection broke: what the person was saying ends here. */
  breakOff() {
    for (const entry of [...this.entries]) {
      if (entry.status === "live" && entry.role === "user") this.transcribed(entry.id, entry.text);
    }
  }

  /** @param {string} id @returns {Entry} */
  #user(id) {
    const found = this.find(id);
    if (found) return found;
    const old = this.entries.filter(({ trail }) => trail.length > 1).at(-TRAILS);
    if (old) old.trail = old.trail.slice(-1);
    return this.#add({ id, role: "user" });
  }

  /** @param {Partial<Entry>} fields @returns {Entry} */
  #add(fields) {
    this.#made += 1;
    /** @type {Entry} */
    const entry = {
      key: `entry-${this.#made}`,
      id: null,
      role: "user",
      text: "",
      stable: "",
      status: "live",
      typed: false,
      at: new Date(),
      response: null,
      heard: 0,
      pacing: new Pacing(),
      how: null,
      trail: [],
      draft: null,
      thought: null,
      latency: null,
      ...fields,
    };
    this.entries.push(entry);
    return entry;
  }

  /** @param {Entry} entry */
  #changed(entry) {
    this.dispatchEvent(new CustomEvent("change", { detail: entry }));
  }
}

/**
 * @param {string} text
 * @param {number} characters
 * @returns {number} the same, grown to the end of the word
 */
function wholeWord(text, characters) {
  if (characters <= 0) return 0;
  const space = text.indexOf(" ", characters);
  return space === -1 ? text.length : space;
}
