/**
 * Where in a reply's text the voice is. The wire carries text and audio side by side without times,
 * but in order: the text that comes when N samples have come begins at about sample N. Between two
 * such points, and up to the end once it is known, the text is spread by the time it takes to say:
 * a letter counts one, the pauses at commas and full stops some more.
 */

import { WIRE_RATE } from "./audio/pcm.js";

const USUAL_PACE = WIRE_RATE / 17; // samples a unit of text
const COMMA = 3;
const FULL_STOP = 6;

/** @typedef {{samples: number, characters: number}} Mark */

export class Pacing {
  /** @type {Mark[]} */
  #marks = [];
  /** @type {number[]} units of the text up to each character */
  #units = [0];
  #samples = 0;
  #complete = false;

  /** @returns {number} samples of audio that came so far */
  get samples() {
    return this.#samples;
  }

  /** @param {string} delta more text */
  text(delta) {
    if (this.#marks.at(-1)?.samples !== this.#samples) {
      this.#marks.push({ samples: this.#samples, characters: this.#length });
    }
    for (const character of delta.split("")) this.#units.push(this.#units.at(-1) + unit(character));
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
    if (this.#complete && samples >= this.#samples) return this.#length;
    const next = this.#marks.findIndex((mark) => mark.samples > samples);
    const from = this.#marks.at(next === -1 ? -1 : next - 1);
    if (!from || next === 0) return 0;
    const to = next === -1 ? this.#end(from) : this.#marks[next];
    const [first, last] = [this.#units[from.characters], this.#units[to.characters]];
    const share = (samples - from.samples) / Math.max(1, to.samples - from.samples);
    const said = first + Math.min(1, share) * (last - first);
    let characters = from.characters;
    while (characters < to.characters && this.#units[characters + 1] <= said) characters += 1;
    return characters;
  }

  get #length() {
    return this.#units.length - 1;
  }

  /** @param {Mark} last @returns {Mark} where the text ends, as far as is known */
  #end(last) {
    const units = this.#units[this.#length] - this.#units[last.characters];
    const samples = this.#complete ? this.#samples : last.samples + units * USUAL_PACE;
    return { samples, characters: this.#length };
  }
}

/** @param {string} character @returns {number} the time that it takes, in letters */
function unit(character) {
  if (",;:–".includes(character)) return COMMA;
  return ".!?…".includes(character) ? FULL_STOP : 1;
}
