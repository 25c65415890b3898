/** What was to be heard in the last minutes and when: a model without any view. */

import { WIRE_RATE } from "./audio/pcm.js";
import { AudioClock } from "./clock.js";

export const KEPT_S = 120;
export const LEVELS_PER_S = 10;
const MOST_SOUNDS = 100;

/**
 * @typedef {object} Span a turn; times on the page's clock, in seconds
 * @property {string} item
 * @property {"user"|"agent"} who
 * @property {number} from
 * @property {number|null} to null while it lasts
 */

/**
 * @typedef {object} Sound a sound of the voice that is no word; times on the page's clock
 * @property {string} item
 * @property {string} label
 * @property {number} from
 * @property {number} to
 * @property {number} confidence
 */

/**
 * Follows what travels on the connection, and the sound on both sides.
 * Events: `change` (the spans or the sounds did).
 */
export class Timeline extends EventTarget {
  #level;
  #now;
  #clock;
  #levels = new Float32Array(KEPT_S * LEVELS_PER_S);
  #tick = -1;
  /** @type {number|null} when the first audio was sent, on the page's clock */
  began = null;
  /** @type {Span[]} */
  spans = [];
  /** @type {Sound[]} */
  sounds = [];

  /**
   * @param {EventTarget} connection see `Connection`
   * @param {() => number} level reads the level (RMS, full scale 1) of the audio sent just now
   * @param {() => number} [now] the page's clock in seconds
   */
  constructor(connection, level, now = () => performance.now() / 1000) {
    super();
    this.#level = level;
    this.#now = now;
    this.#clock = new AudioClock(now);
    connection.addEventListener("message", ({ detail }) => this.#handlers[detail.type]?.(detail));
    connection.addEventListener("sent", ({ detail }) => {
      if (detail.type === "input_audio_buffer.append") this.#sent(detail.audio);
    });
    connection.addEventListener("status", () => {
      if (connection.status !== "open") this.#close("user", this.#now());
    });
  }

  /** @returns {number} the page's clock in seconds */
  get now() {
    return this.#now();
  }

  /** @param {string|null} item the reply that sounds now */
  playing(item) {
    const last = this.spans.findLast(({ who }) => who === "agent");
    if (last?.to === null && last.item === item) return;
    if (last?.to !== null && item === null) return;
    this.#close("agent", this.#now());
    if (item !== null) this.#open(item, "agent", this.#now());
    this.#changed();
  }

  clear() {
    this.spans = [];
    this.sounds = [];
    this.#levels.fill(0);
    this.began = null;
    this.#changed();
  }

  /**
   * @param {number} tick a tenth of a second on the page's clock
   * @returns {number} the level (RMS, full scale 1) of what was sent then, 0 if nothing was
   */
  levelAt(tick) {
    const known = tick >= 0 && tick <= this.#tick && tick > this.#tick - this.#levels.length;
    return known ? this.#levels[tick % this.#levels.length] : 0;
  }

  /** @type {Record<string, (event: any) => void>} */
  #handlers = {
    "session.created": () => this.#clock.begin(),
    "input_audio_buffer.speech_started": ({ item_id, audio_start_ms }) => {
      this.#close("user", this.#now());
      this.#open(item_id, "user", this.#clock.toPage(audio_start_ms / 1000));
      this.#changed();
    },
    "input_audio_buffer.speech_stopped": ({ audio_end_ms }) => {
      this.#close("user", this.#clock.toPage(audio_end_ms / 1000));
    },
    "input_audio_buffer.committed": () => this.#close("user", this.#now()),
    "voice_agent.caption": ({ item_id }) => this.#hear(item_id),
    "voice_agent.paralinguistics": ({ item_id, final, paralinguistics }) => {
      if (!final) this.#hear(item_id);
      this.#replace(item_id, paralinguistics.events ?? []);
    },
    "voice_agent.speech_ignored": ({ item_id }) => {
      this.spans = this.spans.filter(({ item }) => item !== item_id); // the sound itself was there
      this.#changed();
    },
    "conversation.item.deleted": ({ item_id }) => {
      this.spans = this.spans.filter(({ item }) => item !== item_id);
      this.#replace(item_id, []);
    },
  };

  /** A turn that was not announced, as with the talk button, began with its audio. @param {string} item */
  #hear(item) {
    if (this.spans.some((span) => span.item === item)) return;
    this.#open(item, "user", this.#clock.resumed);
    this.#changed();
  }

  /**
   * A later reading of a turn knows better than an earlier one.
   * @param {string} item
   * @param {import("./conversation.js").VocalEvent[]} events
   */
  #replace(item, events) {
    const sounds = events.map(({ label, start, end, confidence }) => ({
      item,
      label,
      from: this.#clock.toPage(start),
      to: this.#clock.toPage(end),
      confidence,
    }));
    const others = this.sounds.filter((sound) => sound.item !== item);
    this.sounds = [...others, ...sounds.filter(({ label }) => label !== "other")];
    this.#changed();
  }

  /** @param {string} audio base64 of PCM16 */
  #sent(audio) {
    this.#clock.sent(Math.floor((audio.length * 3) / 4 / 2) / WIRE_RATE);
    this.began ??= this.#now();
    const tick = Math.floor(this.#now() * LEVELS_PER_S);
    const size = this.#levels.length;
    const first = Math.max(this.#tick + 1, tick - size + 1);
    for (let skipped = first; skipped <= tick; skipped += 1) this.#levels[skipped % size] = 0;
    this.#tick = tick;
    this.#levels[tick % size] = Math.max(this.#levels[tick % size], this.#level());
  }

  /** @param {string} item @param {"user"|"agent"} who @param {number} from */
  #open(item, who, from) {
    this.spans.push({ item, who, from, to: null });
  }

  /** @param {"user"|"agent"} speaker @param {number} at */
  #close(speaker, at) {
    const open = this.spans.filter(({ who, to }) => who === speaker && to === null);
    for (const span of open) span.to = Math.max(span.from, at);
    if (open.length) this.#changed();
  }

  /** What nobody can see any more is forgotten. */
  #changed() {
    const oldest = this.#now() - KEPT_S;
    this.spans = this.spans.filter(({ to }) => to === null || to > oldest);
    this.sounds = this.sounds.filter(({ to }) => to > oldest).slice(-MOST_SOUNDS);
    this.dispatchEvent(new Event("change"));
  }
}
