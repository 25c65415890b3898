/** The agent's voice: plays items, can hold and drop them, and knows how much of each was heard. */

import { WIRE_RATE } from "./pcm.js";

const DROP_TIMEOUT_MS = 200;

/** @typedef {{item: string, samples: number}} Heard samples at 24 kHz that left the loudspeaker */

/**
 * Events: `started`, `position` and `finished` (detail {@link Heard}), `underrun`.
 */
export class Player extends EventTarget {
  #context;
  #node;
  /** @type {Heard|null} */
  #position = null;
  /** @type {((heard: Heard|null) => void)|null} */
  #dropping = null;
  level = 0;
  targetMs = 0;
  held = false;

  /** @param {AudioContext} context whose worklet modules are loaded */
  constructor(context) {
    super();
    this.#context = context;
    this.#node = new AudioWorkletNode(context, "playback", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    this.#node.connect(context.destination);
  }

  /** @returns {string|null} the item that sounds or is held now */
  get item() {
    return this.#position?.item ?? null;
  }

  /** @returns {AudioNode} for meters */
  get output() {
    return this.#node;
  }

  /** @param {string} deviceId loudspeaker, "" for the default */
  async setSpeaker(deviceId) {
    await /** @type {any} */ (this.#context).setSinkId(deviceId);
  }

  /** @param {string} item @param {Float32Array} samples at 24 kHz */
  play(item, samples) {
    this.#node.port.postMessage({ type: "audio", item, samples }, [samples.buffer]);
  }

  /** @param {string} item all of it has been given */
  end(item) {
    this.#node.port.postMessage({ type: "end", item });
  }

  hold() {
    this.held = true;
    this.#node.port.postMessage({ type: "hold" });
  }

  resume() {
    this.held = false;
    this.#node.port.postMessage({ type: "resume" });
  }

  /**
   * Forgets what was not played yet.
   * @returns {Promise<Heard|null>} what was heard of the item that was cut, if there was one
   */
  drop() {
    this.held = false;
    const last = this.#position;
    this.#node.port.postMessage({ type: "drop" });
    return new Promise((resolve) => {
      // A suspended context never answers; then the last known position is the right one.
      const timer = setTimeout(() => this.#dropping?.(last), DROP_TIMEOUT_MS);
      const earlier = this.#dropping;
      this.#dropping = (heard) => {
        clearTimeout(timer);
        this.#dropping = null;
        this.#leave();
        earlier?.(null);
        resolve(heard);
      };
    });
  }

  /** @returns {number} delay between the context and the ear, in samples at 24 kHz */
  get #delay() {
    return Math.round((this.#context.outputLatency || 0) * WIRE_RATE);
  }

  #leave() {
    this.#position = null;
    this.level = 0;
  }

  /**
   * @param {object} message from the worklet
   * @param {string} message.type
   * @param {string|null} message.item
   * @param {number} message.played
   * @param {number} [message.level]
   * @param {number} [message.targetMs]
   */
  #take({ type, item, played, level, targetMs }) {
    const heard = item === null ? null : { item, samples: Math.max(0, played - this.#delay) };
    if (type === "dropped") {
      this.#dropping?.(heard);
      return;
    }
    if (type === "finished") {
      this.#leave();
      this.dispatchEvent(new CustomEvent("finished", { detail: { item, samples: played } }));
      return;
    }
    if (type === "started" || type === "position") this.#position = heard;
    if (type === "position") {
      this.level = this.held ? 0 : level;
      this.targetMs = targetMs;
    }
    this.dispatchEvent(new CustomEvent(type, { detail: heard }));
  }
}
