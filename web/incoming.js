/** The agent's replies as they come: played, cut where the person interrupts, timed. */

import { WIRE_RATE, fromBase64 } from "./audio/pcm.js";

/** @typedef {import("./audio/playback.js").Player} Player */

/** The prefix of the ids of our truncations, so that errors about them can be told apart. */
export const TRUNCATION = "truncate_";

export class Incoming {
  #connection;
  #conversation;
  /** @type {Player|null} */
  #player = null;
  /** @type {AudioContext|null} */
  #context = null;
  /** @type {Set<string>} replies whose remaining audio is not wanted */
  #cut = new Set();
  /** @type {Map<string, number>} when a reply's first audio came */
  #arrived = new Map();
  /** Whether a reply was announced and is not over; its first words may be long in coming. */
  #expected = false;
  /** @type {string|null} the reply that is being received */
  #receiving = null;

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {import("./conversation.js").Conversation} conversation
   */
  constructor(connection, conversation) {
    this.#connection = connection;
    this.#conversation = conversation;
  }

  /** @param {Player} player @param {AudioContext} context @param {() => void} changed */
  connect(player, context, changed) {
    this.#player = player;
    this.#context = context;
    player.addEventListener("started", ({ detail }) => {
      this.#time(detail.item);
      changed();
    });
    player.addEventListener("position", ({ detail }) =>
      this.#conversation.played(detail.item, detail.samples),
    );
    player.addEventListener("finished", ({ detail }) => {
      this.#conversation.played(detail.item, detail.samples);
      changed();
    });
  }

  /** @returns {boolean} whether a reply is coming in or sounding */
  get active() {
    return this.#expected || Boolean(this.#player?.item);
  }

  /** A reply is announced. */
  expect() {
    this.#expected = true;
  }

  /** @param {string} response @param {string} item */
  begin(response, item) {
    this.#receiving = item;
    this.#conversation.reply(response, item);
  }

  /** @param {string} item @param {string} audio base64 of PCM16 */
  audio(item, audio) {
    if (this.#cut.has(item)) return;
    if (!this.#arrived.has(item)) this.#arrived.set(item, performance.now());
    const samples = fromBase64(audio);
    this.#conversation.replyAudio(item, samples.length);
    this.#player?.play(item, samples);
  }

  /** @param {string} item all its audio has come */
  audioDone(item) {
    this.#player?.end(item);
  }

  /**
   * @param {{id: string, status: string}} response the server's last word on it
   * @returns {boolean} whether something of it is or was to be heard
   */
  done(response) {
    this.#expected = false;
    this.#receiving = null;
    const entry = this.#conversation.replyOf(response.id);
    if (!entry) return false;
    this.#player?.end(entry.id);
    if (response.status === "completed") this.#conversation.replyComplete(entry.id);
    else this.#conversation.cut(entry.id, response.status === "failed" ? "failed" : "interrupted");
    return entry.pacing.samples > 0;
  }

  /** Stops the reply that is under way because the person wants it. */
  async stop() {
    if (this.#expected) this.#connection.send({ type: "response.cancel" });
    await this.interrupt();
  }

  /** Nothing more of the reply is played, and the server learns how much of it was. */
  async interrupt() {
    if (this.#receiving) this.#cut.add(this.#receiving);
    const heard = (await this.#player?.drop()) ?? null;
    if (!heard) return;
    this.#cut.add(heard.item);
    this.#conversation.played(heard.item, heard.samples);
    this.#conversation.cut(heard.item, "interrupted");
    this.#connection.send({
      type: "conversation.item.truncate",
      event_id: TRUNCATION + heard.item,
      item_id: heard.item,
      content_index: 0,
      audio_end_ms: Math.floor((heard.samples * 1000) / WIRE_RATE),
    });
  }

  /** The connection broke: a reply that had not come wholly ends here; a whole one is played on. */
  async breakOff() {
    this.#expected = false;
    if (this.#player?.held) this.#player.resume();
    if (!this.#receiving) return;
    const broken = this.#receiving;
    await this.interrupt();
    this.#conversation.cut(broken, "interrupted");
    this.#receiving = null;
  }

  /** @param {string} item its first sample sounds */
  #time(item) {
    const arrived = this.#arrived.get(item);
    const response = this.#conversation.find(item)?.response;
    if (arrived === undefined || !response) return;
    const delay = (this.#context.outputLatency || 0) * 1000;
    this.#conversation.timed(response, { playback: performance.now() - arrived + delay });
    this.#arrived.clear();
  }
}
