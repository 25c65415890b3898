/**
 * Streaming sample-rate conversion with a Kaiser-windowed sinc in polyphase form.
 * Output sample 0 lies on input sample 0, so positions convert exactly between the rates.
 */

const ZERO_CROSSINGS = 24;
const PASSBAND = 0.93; // of the lower Nyquist frequency; the rest is the filter's slope
const KAISER_BETA = 8.5; // about 85 dB of stop-band
const BLOCK = 4096;

/** @param {number} x @returns {number} the modified Bessel function I0 */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** @param {number} a @param {number} b @returns {number} */
function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}

export class Resampler {
  #up;
  #down;
  #half;
  /** @type {Float32Array[]} */
  #phases;
  #buffer;
  #length;
  #index;
  #phase = 0;

  /**
   * @param {number} from rate of what goes in, in Hz
   * @param {number} to rate of what comes out, in Hz
   */
  constructor(from, to) {
    const divisor = gcd(Math.round(from), Math.round(to));
    this.#up = Math.round(to) / divisor;
    this.#down = Math.round(from) / divisor;
    const bandwidth = Math.min(1, to / from);
    this.#half = from === to ? 1 : Math.ceil(ZERO_CROSSINGS / bandwidth);
    this.#phases = Array.from({ length: this.#up }, (_, phase) =>
      from === to ? Float32Array.of(1, 0) : this.#kernel(phase / this.#up, bandwidth * PASSBAND),
    );
    this.#buffer = new Float32Array(2 * this.#half + BLOCK);
    this.#length = this.#half - 1; // silence before the first sample
    this.#index = this.#half - 1;
  }

  /** @param {number} fraction @param {number} cutoff @returns {Float32Array} */
  #kernel(fraction, cutoff) {
    const taps = new Float32Array(2 * this.#half);
    let sum = 0;
    for (let k = 0; k < taps.length; k += 1) {
      const t = k - this.#half + 1 - fraction;
      const x = Math.PI * cutoff * t;
      const edge = Math.max(0, 1 - (t / this.#half) ** 2);
      taps[k] = (x === 0 ? 1 : Math.sin(x) / x) * bessel(KAISER_BETA * Math.sqrt(edge));
      sum += taps[k];
    }
    return taps.map((tap) => tap / sum);
  }

  /**
   * @param {Float32Array} input the next samples
   * @returns {Float32Array} what can be computed with them
   */
  process(input) {
    const size = Math.ceil(((input.length + 2 * this.#half) * this.#up) / this.#down) + 1;
    const output = new Float32Array(size);
    let written = 0;
    for (let start = 0; start < input.length; start += BLOCK) {
      const block = input.subarray(start, start + BLOCK);
      this.#buffer.set(block, this.#length);
      this.#length += block.length;
      written = this.#convert(output, written);
    }
    return output.subarray(0, written);
  }

  /** @returns {Float32Array} what was still waiting for samples to come; the stream ends here */
  flush() {
    return this.process(new Float32Array(this.#half));
  }

  /** @param {Float32Array} output @param {number} written @returns {number} */
  #convert(output, written) {
    const buffer = this.#buffer;
    while (this.#index + this.#half < this.#length) {
      const taps = this.#phases[this.#phase];
      const first = this.#index - this.#half + 1;
      let sum = 0;
      for (let k = 0; k < taps.length; k += 1) sum += taps[k] * buffer[first + k];
      output[written] = sum;
      written += 1;
      this.#phase += this.#down;
      this.#index += Math.floor(this.#phase / this.#up);
      this.#phase %= this.#up;
    }
    const used = Math.min(this.#index - this.#half + 1, this.#length);
    buffer.copyWithin(0, used, this.#length);
    this.#length -= used;
    this.#index -= used;
    return written;
  }
}
