/**
 * Evens out the arrival of audio and knows to the sample what was played of which item.
 *
 * Playback of an item starts once `target` ms lie ready (or the item is complete). Each underrun
 * lets the target grow, each item without one lets it shrink again. Gain never jumps: holding,
 * dropping and running dry fade out, going on fades in.
 */

const START_MS = 70;
const STEP_MS = 5;
const MOST_MS = 250;
const FADE_MS = 6;

/**
 * @typedef {object} Segment
 * @property {string} item
 * @property {Float32Array[]} chunks
 * @property {number} offset samples already taken from the first chunk
 * @property {number} ready samples that wait to be played
 * @property {number} played
 * @property {boolean} ended all of it has arrived
 * @property {boolean} dropped
 * @property {boolean} started
 * @property {boolean} ranDry
 */

/**
 * @typedef {object} BufferEvent
 * @property {"started"|"finished"|"dropped"|"underrun"} type
 * @property {string|null} item
 * @property {number} played
 */

export class JitterBuffer {
  /** @type {Segment[]} */
  #segments = [];
  /** @type {BufferEvent[]} */
  #events = [];
  #rate;
  #fade;
  #gain = 0;
  #flowing = false;
  #targetMs = START_MS;
  held = false;

  /** @param {number} rate in Hz */
  constructor(rate) {
    this.#rate = rate;
    this.#fade = Math.round((FADE_MS / 1000) * rate);
  }

  /** @returns {number} how much must lie ready before playback starts, in ms */
  get targetMs() {
    return this.#targetMs;
  }

  /** @returns {{item: string, played: number}|null} the item that is played now */
  get position() {
    const front = this.#segments[0];
    return front ? { item: front.item, played: front.played } : null;
  }

  /** @returns {BufferEvent[]} what happened since the last call */
  takeEvents() {
    return this.#events.splice(0);
  }

  /** @param {string} item @param {Float32Array} samples */
  push(item, samples) {
    let segment = this.#segments.at(-1);
    if (!segment || segment.item !== item || segment.dropped) {
      if (segment) segment.ended = true;
      segment = {
        item,
        chunks: [],
        offset: 0,
        ready: 0,
        played: 0,
        ended: false,
        dropped: false,
        started: false,
        ranDry: false,
      };
      this.#segments.push(segment);
    }
    if (samples.length) {
      segment.chunks.push(samples);
      segment.ready += samples.length;
    }
  }

  /** @param {string} item no more of it will come */
  end(item) {
    for (const segment of this.#segments) if (segment.item === item) segment.ended = true;
  }

  /** Forgets all that waits; what sounds now fades out. A "dropped" event always follows. */
  drop() {
    this.held = false;
    const front = this.#segments[0];
    if (!front || this.#gain === 0) {
      this.#segments = [];
      this.#flowing = false;
      this.#report("dropped", front ?? null);
      return;
    }
    front.dropped = true;
    front.ended = true;
    front.ready = Math.min(front.ready, this.#fade);
    this.#segments = [front];
  }

  /** @param {Float32Array} out is filled with what is to be heard now */
  pull(out) {
    for (let i = 0; i < out.length; i += 1) {
      const front = this.#prepare();
      const aim = front && this.#flowing && !this.held && !front.dropped ? 1 : 0;
      if (!front || (this.#gain === 0 && aim === 0)) {
        out[i] = 0;
        continue;
      }
      const step = 1 / this.#fade;
      this.#gain = aim ? Math.min(1, this.#gain + step) : Math.max(0, this.#gain - step);
      out[i] = this.#take(front) * this.#gain;
    }
  }

  /** @returns {Segment|undefined} the segment to take the next sample from */
  #prepare() {
    let front = this.#segments[0];
    while (front && ((front.ended && front.ready === 0) || (front.dropped && this.#gain === 0))) {
      this.#leave(front);
      front = this.#segments[0];
    }
    if (!front) return undefined;
    if (this.#flowing) this.#watch(front);
    else if (front.ended || front.ready >= (this.#targetMs / 1000) * this.#rate) this.#start(front);
    return front;
  }

  /** @param {Segment} front */
  #start(front) {
    this.#flowing = true;
    if (front.started) return;
    front.started = true;
    if (!this.held) this.#gain = 1; // an item begins with its own onset; a fade would blur it
    this.#report("started", front);
  }

  /** @param {Segment} front fades out with the last samples when no more have come */
  #watch(front) {
    if (front.ended || front.ready > this.#fade || this.held) return;
    this.#flowing = false;
    front.ranDry = true;
    this.#targetMs = Math.min(MOST_MS, this.#targetMs + STEP_MS);
    this.#report("underrun", front);
  }

  /** @param {Segment} front */
  #leave(front) {
    this.#segments.shift();
    this.#flowing = false;
    this.#gain = 0;
    if (!front.ranDry && !front.dropped) {
      this.#targetMs = Math.max(START_MS, this.#targetMs - STEP_MS);
    }
    this.#report(front.dropped ? "dropped" : "finished", front);
  }

  /** @param {Segment} front @returns {number} */
  #take(front) {
    if (front.ready === 0) return 0;
    const chunk = front.chunks[0];
    const sample = chunk[front.offset];
    front.offset += 1;
    front.ready -= 1;
    front.played += 1;
    if (front.offset === chunk.length) {
      front.chunks.shift();
      front.offset = 0;
    }
    return sample;
  }

  /** @param {BufferEvent["type"]} type @param {Segment|null} segment */
  #report(type, segment) {
    this.#events.push({ type, item: segment?.item ?? null, played: segment?.played ?? 0 });
  }
}
