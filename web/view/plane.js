/** Valence and arousal as a plane: where the voice is, how sure that is, and the way it took. */

import { svg } from "./dom.js";

/** @typedef {import("../conversation.js").Mood} Mood */
/** @typedef {{x: number, y: number, rx: number, ry: number}} Place in the drawing */

const SIZE = 184;
const FIELD = { left: 20, top: 2, size: 162 }; // the words of the axes are left of it and below
const REACH = FIELD.size / 2 - 10; // of the values' largest
const SUREST = 7;
const MOVE_MS = 500;
const EARLIER = 4;
const NOTABLE = 0.15;

const WORDS = {
  valence: ["unpleasant", "pleasant"],
  arousal: ["calm", "excited"],
};

/** What a voice in each corner is like. */
const CORNERS = [
  { text: "tense", x: -1, y: 1 },
  { text: "lively", x: 1, y: 1 },
  { text: "low", x: -1, y: -1 },
  { text: "at ease", x: 1, y: -1 },
];

export class Plane {
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #drawing;
  #earlier = svg("g", { class: "earlier" });
  #fade = svg(
    "linearGradient",
    { id: "trail-fade", gradientUnits: "userSpaceOnUse" },
    svg("stop", { offset: 0, "stop-opacity": 0.1 }),
    svg("stop", { offset: 1, "stop-opacity": 0.8 }),
  );
  #trail = svg("path", { class: "trail", stroke: "url(#trail-fade)" });
  #doubt = svg("ellipse", { class: "doubt" });
  #point = svg("circle", { class: "point", r: SUREST - 1 });
  /** @type {Place[]} */
  #way = [];
  /** @type {Place|null} where the point is drawn, on its way to the end of the trail */
  #at = null;
  #moving = 0;
  /** @type {Mood[]} */
  #moods = [];

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#drawing = svg(
      "svg",
      { class: "plane", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" },
      svg("defs", {}, this.#fade, svg("clipPath", { id: "plane-field" }, field())),
      ...background(),
      svg(
        "g",
        { "clip-path": "url(#plane-field)" },
        this.#earlier,
        this.#trail,
        this.#doubt,
        this.#point,
      ),
    );
    place.append(this.#drawing);
    this.show([], []);
  }

  /**
   * @param {Mood[]} moods of the turn, the newest last; none where it was not heard yet
   * @param {Mood[][]} before those of the turns before it, the newest last
   */
  show(moods, before) {
    const earlier = before.filter((trail) => trail.length).slice(-EARLIER);
    this.#earlier.replaceChildren(
      ...earlier.map((trail, i) => past(trail.map(toPlace), (i + 1) / (earlier.length + 1))),
    );
    const same = moods.at(-1) === this.#moods.at(-1);
    this.#moods = moods;
    this.#way = moods.map(toPlace);
    this.#drawing.setAttribute("aria-label", described(moods, earlier));
    this.#drawing.classList.toggle("uncertain", Boolean(moods.at(-1)?.uncertain));
    for (const part of [this.#trail, this.#doubt, this.#point]) {
      part.toggleAttribute("hidden", !moods.length);
    }
    if (!moods.length || same) return;
    if (this.#at && !this.#still.matches) this.#move();
    else this.#put(this.#way.at(-1));
  }

  /** Glides to the end of the trail. */
  #move() {
    cancelAnimationFrame(this.#moving);
    const from = this.#at;
    const to = this.#way.at(-1);
    const began = performance.now();
    const step = (/** @type {number} */ now) => {
      const share = Math.min(1, Math.max(0, (now - began) / MOVE_MS));
      const eased = share * share * (3 - 2 * share);
      this.#put(between(from, to, eased));
      if (share < 1) this.#moving = requestAnimationFrame(step);
    };
    this.#moving = requestAnimationFrame(step);
  }

  /** @param {Place} at draws the point there, and the trail up to it */
  #put(at) {
    this.#at = at;
    const { x, y, rx, ry } = at;
    set(this.#doubt, { cx: x, cy: y, rx, ry });
    set(this.#point, { cx: x, cy: y });
    const way = [...this.#way.slice(0, -1), at];
    set(this.#trail, { d: curve(way) });
    set(this.#fade, { x1: way[0].x, y1: way[0].y, x2: x, y2: y });
  }
}

/** @returns {SVGElement} */
function field() {
  const { left, top, size } = FIELD;
  return svg("rect", { x: left, y: top, width: size, height: size, rx: 12 });
}

/** @returns {SVGElement[]} the field, its axes and their words */
function background() {
  const { left, top, size } = FIELD;
  const [x, y] = [left + size / 2, top + size / 2];
  const [right, bottom] = [left + size, top + size];
  const below = bottom + 14;
  const beside = `rotate(-90) translate(${-bottom} ${left - 7})`;
  return [
    field(),
    svg("line", { x1: x, y1: top + 8, x2: x, y2: bottom - 8 }),
    svg("line", { x1: left + 8, y1: y, x2: right - 8, y2: y }),
    ...CORNERS.map((corner) =>
      svg(
        "text",
        {
          class: "corner",
          x: x + corner.x * (size / 2 - 9),
          y: y - corner.y * (size / 2 - 13) + 4,
          "text-anchor": corner.x < 0 ? "start" : "end",
        },
        corner.text,
      ),
    ),
    ...axis("Valence", WORDS.valence, size, `translate(${left} ${below})`),
    ...axis("Arousal", WORDS.arousal, size, beside),
  ];
}

/**
 * @param {string} name
 * @param {string[]} ends
 * @param {number} length
 * @param {string} transform
 * @returns {SVGElement[]}
 */
function axis(name, [less, more], length, transform) {
  return [
    svg("text", { transform }, less),
    svg("text", { class: "axis", transform, x: length / 2, "text-anchor": "middle" }, name),
    svg("text", { transform, x: length, "text-anchor": "end" }, more),
  ];
}

/** @param {Mood} mood @returns {Place} as large as it is unsure; what is unknown could be anywhere */
function toPlace({ valence, arousal }) {
  const reach = (/** @type {Mood["valence"]} */ estimate) =>
    SUREST + (REACH - SUREST) * 0.6 * (1 - (estimate?.confidence ?? -0.6));
  return {
    x: FIELD.left + FIELD.size / 2 + REACH * limited(valence?.value ?? 0),
    y: FIELD.top + FIELD.size / 2 - REACH * limited(arousal?.value ?? 0),
    rx: reach(valence),
    ry: reach(arousal),
  };
}

/** @param {number} value @returns {number} within [-1, 1] */
function limited(value) {
  return Math.max(-1, Math.min(1, value));
}

/** @param {Place} from @param {Place} to @param {number} share @returns {Place} */
function between(from, to, share) {
  const mix = (/** @type {keyof Place} */ key) => from[key] + share * (to[key] - from[key]);
  return { x: mix("x"), y: mix("y"), rx: mix("rx"), ry: mix("ry") };
}

/** @param {Place[]} way @param {number} strength in [0, 1] @returns {SVGElement} an earlier turn */
function past(way, strength) {
  const { x, y } = way.at(-1);
  return svg(
    "g",
    { opacity: (0.15 + 0.4 * strength).toFixed(2) },
    svg("path", { class: "trail", d: curve(way) }),
    svg("circle", { cx: x, cy: y, r: 3 }),
  );
}

/** @param {Place[]} way @returns {string} a smooth line from its first to its last place */
function curve(way) {
  const [first, ...rest] = way;
  const last = way.at(-1);
  const arcs = rest.slice(0, -1).map((at, i) => {
    const next = rest[i + 1];
    return `Q${at.x} ${at.y} ${(at.x + next.x) / 2} ${(at.y + next.y) / 2}`;
  });
  return `M${first.x} ${first.y}${arcs.join("")}L${last.x} ${last.y}`;
}

/** @param {SVGElement} part @param {Record<string, number|string>} attributes */
function set(part, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    part.setAttribute(name, typeof value === "number" ? value.toFixed(1) : value);
  }
}

/** @param {Mood[]} moods @param {Mood[][]} earlier @returns {string} the drawing in words */
function described(moods, earlier) {
  const sentences = [];
  const now = moods.at(-1);
  if (now) {
    const doubt = now.uncertain ? ", uncertain" : "";
    sentences.push(`Mood of the voice: ${placed(now, true).join(", ")}${doubt}`);
    if (moods.length > 1) sentences.push(`The turn began ${placed(moods[0]).join(", ")}`);
  } else sentences.push("Mood of the voice: not heard yet in this turn");
  const before = earlier.at(-1)?.at(-1);
  if (before) sentences.push(`Turn before: ${placed(before).join(", ")}`);
  return `${sentences.join(". ")}.`;
}

/** @param {Mood} mood @param {boolean} [sure] also how sure that is @returns {string[]} */
function placed(mood, sure = false) {
  return /** @type {const} */ (["valence", "arousal"]).flatMap((name) => {
    const estimate = mood[name];
    if (!estimate) return [];
    const [less, more] = WORDS[name];
    const { value, confidence } = estimate;
    const word = value < 0 ? `rather ${less}` : `rather ${more}`;
    const said = Math.abs(value) < NOTABLE ? `neither ${less} nor ${more}` : word;
    return [sure ? `${said} (${Math.round(100 * confidence)} % sure)` : said];
  });
}

