/**
 * Where in a reply's text the voice is. The wire carries text and audio side by side without times,
 * but in order: the text that comes when N samples have come begins at about sample N. Between two
 * such points, and up to the end once it is known, the text is spread evenly.
 */

import { WIRE_RATE } from "./audio/pcm.js";

const USUAL_SAMPLES_A_CHARACTER = WIRE_RATE / 15;
const FEWEST_CHARACTERS = 12; // below this a measured pace says nothing

export class Pacing {
  /** @type {{samples: number, characters: number}[]} */
  #marks = [];
  #characters = 0;
  #samples = 0;
  #complete = false;

  /** @returns {number} samples of audio that came so far */
  get samples() {
    return this.#samples;
  }

  /** @param {string} delta more text */
  text(delta) {
    if (this.#marks.at(-1)?.samples !== this.#samples) {
      this.#marks.push({ samples: this.#samples, characters: this.#characters });
    }
    this.#characters += delta.length;
  }

  /** @param {number} samples more audio at 24 kHz */
  audio(samples) {
    this.#samples += samples;
  }

  /** All text and audio has come. */
  complete() {
    this.#complete = true;
  }

  /**
   * @param {number} samples how much was heard
   * @returns {number} how many characters of the text that is
   */
  charactersAt(samples) {
    if (this.#complete && samples >= this.#samples) return this.#characters;
    const next = this.#marks.findIndex((mark) => mark.samples > samples);
    const from = this.#marks.at(next === -1 ? -1 : next - 1);
    if (!from || next === 0) return 0;
    const to = next === -1 ? this.#end(from) : this.#marks[next];
    const share = (samples - from.samples) / Math.max(1, to.samples - from.samples);
    const characters = from.characters + share * (to.characters - from.characters);
    return Math.min(this.#characters, Math.max(0, Math.floor(characters)));
  }

  /**
   * @param {{samples: number, characters: number}} last mark
   * @returns {{samples: number, characters: number}} where the text ends, as far as is known
   */
  #end(last) {
    if (this.#complete) return { samples: this.#samples, characters: this.#characters };
    const known = last.characters >= FEWEST_CHARACTERS;
    const pace = known ? last.samples / last.characters : USUAL_SAMPLES_A_CHARACTER;
    return {
      samples: last.samples + (this.#characters - last.characters) * pace,
      characters: this.#characters,
    };
  }
}
