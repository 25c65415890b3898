/**
 * The agent's face: a soft body that breathes while it listens, takes the shape of the person's
 * voice while it hears and of its own while it speaks, in the colour of its feeling.
 */

import { PALETTES } from "./palette.js";

const POINTS = 64;
const FLOOR_DB = -55;
const CEILING_DB = -12;

/** How each state moves: breath (size), ripple (shape), turn (speed), glow. */
const MOTION = {
  offline: { breath: 0, ripple: 0.004, turn: 0.1, glow: 0.1 },
  connecting: { breath: 0.03, ripple: 0.01, turn: 0.5, glow: 0.25 },
  reconnecting: { breath: 0.03, ripple: 0.01, turn: 0.5, glow: 0.25 },
  listening: { breath: 0.025, ripple: 0.014, turn: 0.3, glow: 0.4 },
  hearing: { breath: 0.01, ripple: 0.02, turn: 0.6, glow: 0.55 },
  thinking: { breath: 0.04, ripple: 0.03, turn: 1.5, glow: 0.5 },
  speaking: { breath: 0.01, ripple: 0.018, turn: 0.7, glow: 0.6 },
  paused: { breath: 0.005, ripple: 0.008, turn: 0.1, glow: 0.3 },
};

/** Layers from the back to the front: size, waves around, opacity, own speed. */
const LAYERS = [
  { size: 1.1, waves: 3, alpha: 0.28, speed: -0.8 },
  { size: 1.04, waves: 4, alpha: 0.42, speed: 1.1 },
  { size: 0.98, waves: 2, alpha: 1, speed: -0.6 },
];

/** @typedef {keyof typeof MOTION} OrbState */

export class Orb {
  #canvas;
  #context;
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #motion = { ...MOTION.offline };
  #palette = structuredClone(PALETTES.offline);
  #level = 0;
  #phase = 0;
  #last = 0;
  /** @type {OrbState} */
  #state = "offline";
  #emotion = "neutral";
  #read;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => number} level reads the level (RMS, full scale 1) of the voice that counts now
   */
  constructor(canvas, level) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#read = level;
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#still.addEventListener("change", () => this.#wake());
    this.#wake();
  }

  /** @param {OrbState} state @param {string} [emotion] of the reply */
  show(state, emotion) {
    if (state === this.#state && (emotion ?? "neutral") === this.#emotion) return;
    this.#state = state;
    this.#emotion = emotion ?? "neutral";
    if (this.#still.matches) this.#settle();
  }

  get #target() {
    if (["hearing", "thinking", "offline"].includes(this.#state)) return PALETTES[this.#state];
    if (this.#state.endsWith("connecting")) return PALETTES.offline;
    return PALETTES[this.#emotion] ?? PALETTES.neutral;
  }

  /** Moves from now on, or, where motion is not wanted, stands still in its final shape. */
  #wake() {
    if (this.#still.matches) this.#settle();
    else requestAnimationFrame((now) => this.#frame(now));
  }

  #settle() {
    this.#approach(1);
    this.#level = 0;
    this.#draw();
  }

  /** @param {number} now */
  #frame(now) {
    if (this.#still.matches) return;
    const seconds = Math.min(0.1, (now - this.#last) / 1000);
    this.#last = now;
    this.#approach(1 - Math.exp(-seconds * 5));
    const level = loudness(this.#read());
    const haste = level > this.#level ? 25 : 7; // rises with a syllable, falls slowly
    this.#level += (level - this.#level) * (1 - Math.exp(-seconds * haste));
    this.#phase += seconds * (this.#motion.turn + this.#level * 1.5);
    this.#draw();
    requestAnimationFrame((next) => this.#frame(next));
  }

  /** @param {number} share of the way to the target */
  #approach(share) {
    const motion = MOTION[this.#state];
    for (const key of Object.keys(motion)) {
      this.#motion[key] += (motion[key] - this.#motion[key]) * share;
    }
    this.#target.forEach((colour, i) =>
      colour.forEach((value, c) => {
        this.#palette[i][c] += (value - this.#palette[i][c]) * share;
      }),
    );
  }

  #fit() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.#canvas.width = Math.round(this.#canvas.clientWidth * ratio);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * ratio);
    this.#draw();
  }

  #draw() {
    const { width, height } = this.#canvas;
    if (!width) return;
    const pen = this.#context;
    const { breath, glow } = this.#motion;
    const radius = width * 0.305 * (1 + breath * Math.sin(this.#phase * 2.2) + this.#level * 0.13);
    pen.clearRect(0, 0, width, height);
    pen.save();
    pen.translate(width / 2, height / 2);
    this.#halo(width / 2, radius, glow + this.#level * 0.4);
    for (const layer of LAYERS) this.#body(radius, layer);
    this.#shine(radius);
    pen.restore();
  }

  /** @param {number} reach @param {number} radius @param {number} strength */
  #halo(reach, radius, strength) {
    const pen = this.#context;
    const light = pen.createRadialGradient(0, 0, radius * 0.8, 0, 0, reach);
    light.addColorStop(0, this.#colour(1, Math.min(0.6, strength * 0.7)));
    light.addColorStop(0.5, this.#colour(2, Math.min(0.25, strength * 0.2)));
    light.addColorStop(1, this.#colour(2, 0));
    pen.fillStyle = light;
    pen.fillRect(-reach, -reach, 2 * reach, 2 * reach);
  }

  /** @param {number} radius @param {typeof LAYERS[0]} layer */
  #body(radius, { size, waves, alpha, speed }) {
    const pen = this.#context;
    const veil = alpha < 1;
    const ripple = this.#motion.ripple * (veil ? 2 : 1) + this.#level * (veil ? 0.065 : 0.03);
    const time = this.#phase * speed;
    pen.beginPath();
    for (let i = 0; i <= POINTS; i += 1) {
      const angle = (i / POINTS) * 2 * Math.PI;
      const slow = Math.sin(waves * angle + time * 2);
      const wave = slow + 0.6 * Math.sin((waves + 2) * angle - time * 3);
      const r = radius * size * (1 + ripple * wave);
      pen.lineTo(r * Math.cos(angle), r * Math.sin(angle));
    }
    const [x, y] = [-radius * 0.35, -radius * 0.45]; // the light comes from above
    const fill = pen.createRadialGradient(x, y, radius * 0.05, 0, 0, radius * 1.25);
    fill.addColorStop(0, this.#colour(0, alpha));
    fill.addColorStop(0.5, this.#colour(1, alpha));
    fill.addColorStop(1, this.#colour(2, alpha));
    pen.fillStyle = fill;
    pen.fill();
  }

  /** @param {number} radius a light that wanders over the body */
  #shine(radius) {
    const pen = this.#context;
    const x = radius * 0.3 * Math.cos(this.#phase * 0.9);
    const y = radius * 0.3 * Math.sin(this.#phase * 0.7);
    const light = pen.createRadialGradient(x, y, 0, x, y, radius * 0.8);
    light.addColorStop(0, this.#colour(0, 0.35));
    light.addColorStop(1, this.#colour(0, 0));
    pen.globalCompositeOperation = "source-atop";
    pen.fillStyle = light;
    pen.fillRect(-radius * 1.3, -radius * 1.3, radius * 2.6, radius * 2.6);
    pen.globalCompositeOperation = "source-over";
  }

  /** @param {number} index @param {number} alpha @returns {string} */
  #colour(index, alpha) {
    const [r, g, b] = this.#palette[index].map(Math.round);
    return `rgb(${r} ${g} ${b} / ${alpha})`;
  }
}

/** @param {number} level RMS @returns {number} loudness in [0, 1] */
function loudness(level) {
  const db = 20 * Math.log10(Math.max(level, 1e-6));
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}
