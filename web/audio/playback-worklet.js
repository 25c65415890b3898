/** Plays 24 kHz audio of items through the jitter buffer at the rate of the context. */

import { JitterBuffer } from "./jitter-buffer.js";
import { WIRE_RATE, rms } from "./pcm.js";
import { Resampler } from "./resampler.js";

const REPORT_S = 0.03;

class Playback extends AudioWorkletProcessor {
  #buffer = new JitterBuffer(sampleRate);
  /** @type {{item: string, resampler: Resampler}|null} */
  #incoming = null;
  #sinceReport = 0;
  #peak = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#take(data);
  }

  /** @param {{type: string, item?: string, samples?: Float32Array}} message */
  #take({ type, item, samples }) {
    if (type === "audio") {
      if (this.#incoming?.item !== item) {
        this.#finishIncoming();
        this.#incoming = { item, resampler: new Resampler(WIRE_RATE, sampleRate) };
      }
      this.#buffer.push(item, this.#incoming.resampler.process(samples));
    } else if (type === "end") {
      if (this.#incoming?.item === item) this.#finishIncoming();
    } else if (type === "hold") {
      this.#buffer.held = true;
    } else if (type === "resume") {
      this.#buffer.held = false;
    } else if (type === "drop") {
      this.#incoming = null;
      this.#buffer.drop();
      this.#tell();
    }
  }

  #finishIncoming() {
    if (!this.#incoming) return;
    const { item, resampler } = this.#incoming;
    this.#buffer.push(item, resampler.flush());
    this.#buffer.end(item);
    this.#incoming = null;
  }

  /** @param {Float32Array[][]} inputs @param {Float32Array[][]} outputs @returns {boolean} */
  process(inputs, outputs) {
    const [first, ...others] = outputs[0];
    this.#buffer.pull(first);
    for (const channel of others) channel.set(first);
    this.#peak = Math.max(this.#peak, rms(first));
    this.#sinceReport += first.length;
    this.#tell();
    return true;
  }

  #tell() {
    for (const { type, item, played } of this.#buffer.takeEvents()) {
      this.port.postMessage({ type, item, played: this.#toWire(played) });
    }
    const position = this.#buffer.position;
    if (!position || this.#sinceReport < REPORT_S * sampleRate) return;
    const { item, played } = position;
    this.port.postMessage({
      type: "position",
      item,
      played: this.#toWire(played),
      level: this.#peak,
      targetMs: this.#buffer.targetMs,
    });
    this.#sinceReport = 0;
    this.#peak = 0;
  }

  /**
   * @param {number} samples at the rate of the context
   * @returns {number} whole samples at 24 kHz
   */
  #toWire(samples) {
    return Math.floor((samples * WIRE_RATE) / sampleRate);
  }
}

registerProcessor("playback", Playback);
