/** From the time of a session, which is counted in the audio it was sent, to the page's clock. */

/** A longer wait between two pieces of audio is a gap: the session's time stood still meanwhile. */
const GAP_S = 0.5;
const MOST_MARKS = 64;

/** @typedef {{audio: number, page: number}} Mark the same moment on both clocks, in seconds */

export class AudioClock {
  #now;
  #sent = 0;
  /** @type {Mark[]} one for each stretch of audio without a gap */
  #marks = [];

  /** @param {() => number} now the page's clock in seconds */
  constructor(now) {
    this.#now = now;
  }

  /** A session begins: its audio is counted from 0. */
  begin() {
    this.#sent = 0;
    this.#marks = [];
  }

  /** @param {number} seconds of audio that were sent just now */
  sent(seconds) {
    const page = this.#now() - seconds;
    if (Math.abs(page - this.toPage(this.#sent)) > GAP_S || !this.#marks.length) {
      this.#marks.push({ audio: this.#sent, page });
      if (this.#marks.length > MOST_MARKS) this.#marks.shift();
    }
    this.#sent += seconds;
  }

  /** @returns {number} when the running stretch of audio began, on the page's clock */
  get resumed() {
    return this.#marks.at(-1)?.page ?? this.#now();
  }

  /**
   * @param {number} audio seconds of audio received since the session began
   * @returns {number} when that was, on the page's clock; now, if no audio was sent
   */
  toPage(audio) {
    const mark = this.#marks.findLast((each) => each.audio <= audio) ?? this.#marks[0];
    return mark ? mark.page + audio - mark.audio : this.#now();
  }
}
