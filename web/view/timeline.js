/** The last minute as it sounded: the person's voice and its sounds, and the agent's turns. */

import { LEVELS_PER_S } from "../timeline.js";
import { element, svg } from "./dom.js";

/** @typedef {import("../timeline.js").Timeline} Timeline */
/** @typedef {import("../timeline.js").Sound} Sound */
/** @typedef {{text: string, to: number, upper: boolean}} Label which ends where its sound ends */

const WIDE_PX = 420;
const FRAME_MS = 50;
const STILL_MS = 500;
const LETTER_PX = 6.5;
const LOUDEST = 0.3; // RMS, full scale 1

export class TimelineView {
  #timeline;
  #place;
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #wave = svg("path");
  #level = svg("svg", { class: "level", preserveAspectRatio: "none" }, this.#wave);
  #marks = element("div", "marks");
  #track = element("div", "track", this.#level, this.#marks);
  #window = element("div", "window", this.#track);
  #from = element("span");
  #to = element("span");
  /** Where the track begins, on the page's clock; marks lie relative to it and move with it. */
  #origin = 0;
  #width = 0;
  #drawn = 0;
  #changed = true;

  /** @param {HTMLElement} place @param {Timeline} timeline */
  constructor(place, timeline) {
    this.#place = place;
    this.#timeline = timeline;
    this.#window.setAttribute("role", "img");
    const names = element("div", "names", element("span", "", "You"), element("span", "", "Agent"));
    names.setAttribute("aria-hidden", "true");
    const axis = element("div", "axis", this.#from, this.#to);
    axis.setAttribute("aria-hidden", "true");
    place.append(names, this.#window, axis);
    timeline.addEventListener("change", () => {
      this.#changed = true;
    });
    new ResizeObserver(([{ contentRect }]) => {
      this.#width = contentRect.width;
      this.#changed = true;
    }).observe(this.#window);
    requestAnimationFrame((now) => this.#frame(now));
  }

  /** @returns {number} seconds that are seen at once */
  get #seconds() {
    return this.#width < WIDE_PX ? 30 : 60;
  }

  /** @param {number} now */
  #frame(now) {
    requestAnimationFrame((next) => this.#frame(next));
    this.#place.hidden = this.#timeline.began === null;
    if (now - this.#drawn < (this.#still.matches ? STILL_MS : FRAME_MS) && !this.#changed) return;
    this.#drawn = now;
    if (this.#place.hidden) this.#marks.replaceChildren();
    else if (this.#width) this.#draw();
  }

  #draw() {
    const { now, began } = this.#timeline;
    const seconds = this.#seconds;
    const step = seconds / 4;
    // Where motion is not wanted the window stands still until it is full, then goes on by a step.
    const end = this.#still.matches
      ? began + Math.max(seconds, Math.ceil((now - began) / step) * step)
      : now;
    if (this.#changed) this.#drawMarks(began);
    this.#changed = false;
    this.#track.style.transform = `translateX(${(-100 * (end - this.#origin)) / seconds}%)`;
    this.#drawLevel(end);
    this.#extend(now);
    this.#from.textContent = this.#still.matches ? clock(end - seconds - began) : ago(seconds);
    this.#to.textContent = this.#still.matches ? clock(end - began) : "now";
    const label = described(this.#timeline, end - seconds, seconds);
    if (this.#window.ariaLabel !== label) this.#window.ariaLabel = label;
  }

  /** @param {number} at on the page's clock @returns {string} in the track, for CSS */
  #left(at) {
    return `${100 + (100 * (at - this.#origin)) / this.#seconds}%`;
  }

  /** @param {number} began */
  #drawMarks(began) {
    this.#origin = began;
    const { spans, sounds } = this.#timeline;
    const letter = (LETTER_PX * this.#seconds) / this.#width;
    this.#marks.replaceChildren(
      ...spans.map(({ who, from, to }) => {
        const mark = element("span", `turn by-${who}`);
        mark.dataset.from = String(from);
        mark.classList.toggle("open", to === null);
        this.#stretch(mark, from, to ?? this.#timeline.now);
        return mark;
      }),
      ...sounds.map((sound) => {
        const mark = element("span", "sound");
        mark.title = `${sound.label} at ${clock(sound.from - began)}, ${sure(sound)}`;
        mark.style.opacity = String(0.35 + 0.65 * sound.confidence);
        this.#stretch(mark, sound.from, sound.to);
        return mark;
      }),
      ...labels(sounds, letter).map(({ text, to, upper }) => {
        const label = element("span", upper ? "label upper" : "label", text);
        label.style.left = this.#left(to);
        return label;
      }),
    );
  }

  /** @param {HTMLElement} mark @param {number} from @param {number} to */
  #stretch(mark, from, to) {
    mark.style.left = this.#left(from);
    mark.style.width = `${(100 * (to - from)) / this.#seconds}%`;
  }

  /** Turns that go on grow. @param {number} now */
  #extend(now) {
    for (const mark of this.#marks.querySelectorAll(".open")) {
      this.#stretch(mark, Number(mark.dataset.from), now);
    }
  }

  /** @param {number} end of the window */
  #drawLevel(end) {
    const last = Math.floor(end * LEVELS_PER_S);
    const first = last - Math.ceil(this.#seconds * LEVELS_PER_S);
    this.#level.setAttribute("viewBox", `0 -1 ${last - first + 1} 2`);
    this.#level.style.left = this.#left(first / LEVELS_PER_S);
    this.#level.style.width = `${(100 * (last - first + 1)) / LEVELS_PER_S / this.#seconds}%`;
    let [above, below] = ["", ""];
    for (let tick = first; tick <= last; tick += 1) {
      const height = Math.max(0.02, loudness(this.#timeline.levelAt(tick))).toFixed(2);
      const x = tick - first + 0.5;
      above += `L${x} -${height}`;
      below = `L${x} ${height}${below}`;
    }
    this.#wave.setAttribute("d", `M0 0${above}${below}Z`);
  }
}

/**
 * What is written at the sounds, in two rows. Where there is no room in either, the sounds that
 * came close after one another share one label.
 * @param {Sound[]} sounds
 * @param {number} letter seconds that a letter is wide
 * @returns {Label[]}
 */
export function labels(sounds, letter) {
  /** @type {(Label & {names: string[]})[]} */
  const made = [];
  const room = (/** @type {boolean} */ upper, /** @type {number} */ from) =>
    !made.some((label) => label.upper === upper && label.to > from);
  for (const { label, to } of [...sounds].sort((a, b) => a.to - b.to)) {
    const names = [label];
    let from = to - (label.length + 2) * letter;
    while (!room(false, from) && !room(true, from)) {
      names.unshift(...made.pop().names);
      from = to - (written(names).length + 2) * letter;
    }
    made.push({ text: written(names), to, upper: !room(false, from), names });
  }
  return made.map(({ text, to, upper }) => ({ text, to, upper }));
}

/** @param {string[]} names @returns {string} each once, with how often it came */
function written(names) {
  const counted = [...new Set(names)].map((name) => {
    const times = names.filter((each) => each === name).length;
    return times > 1 ? `${name} ×${times}` : name;
  });
  return counted.join(", ");
}

/**
 * @param {Timeline} timeline
 * @param {number} from
 * @param {number} seconds
 * @returns {string} the window in words
 */
function described({ spans, sounds, began }, from, seconds) {
  const seen = spans.filter(({ to }) => to === null || to > from);
  const times = (/** @type {string} */ speaker) => {
    const count = seen.filter(({ who }) => who === speaker).length;
    return count === 1 ? "once" : `${count} times`;
  };
  const heard = sounds
    .filter(({ to }) => to > from)
    .map((sound) => `${sound.label} at ${clock(sound.from - began)} (${sure(sound)})`);
  const turns = `you spoke ${times("user")}, the agent ${times("agent")}`;
  const parts = [`The last ${seconds} seconds: ${turns}`];
  if (heard.length) parts.push(`Sounds: ${heard.join(", ")}`);
  return `${parts.join(". ")}.`;
}

/** @param {Sound} sound @returns {string} */
function sure({ confidence }) {
  return `${Math.round(100 * confidence)} % sure`;
}

/** @param {number} seconds @returns {string} as minutes and seconds */
function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @param {number} seconds @returns {string} */
function ago(seconds) {
  return seconds === 60 ? "1 min ago" : `${seconds} s ago`;
}

/** @param {number} level RMS, full scale 1 @returns {number} about as it seems, in [0, 1] */
function loudness(level) {
  return Math.min(1, level / LOUDEST) ** 0.6;
}
