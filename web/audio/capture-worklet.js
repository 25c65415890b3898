/** Turns the microphone, at whatever rate the context runs, into 20 ms pieces of 24 kHz PCM16. */

import { WIRE_RATE, rms, toPcm16 } from "./pcm.js";
import { Resampler } from "./resampler.js";

const CHUNK = WIRE_RATE * 0.02;

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, WIRE_RATE);
  #chunk = new Float32Array(CHUNK);
  #filled = 0;

  /** @param {Float32Array[][]} inputs @returns {boolean} */
  process(inputs) {
    const channels = inputs[0];
    if (channels.length === 0) return true;
    const samples = this.#resampler.process(channels.length === 1 ? channels[0] : mix(channels));
    for (let start = 0; start < samples.length; ) {
      const piece = samples.subarray(start, start + CHUNK - this.#filled);
      this.#chunk.set(piece, this.#filled);
      this.#filled += piece.length;
      start += piece.length;
      if (this.#filled === CHUNK) this.#send();
    }
    return true;
  }

  #send() {
    const pcm = toPcm16(this.#chunk).buffer;
    this.port.postMessage({ pcm, level: rms(this.#chunk) }, [pcm]);
    this.#filled = 0;
  }
}

/** @param {Float32Array[]} channels @returns {Float32Array} their mean */
function mix(channels) {
  return channels[0].map((_, i) => {
    let sum = 0;
    for (const channel of channels) sum += channel[i];
    return sum / channels.length;
  });
}

registerProcessor("capture", Capture);
