/** What the person gives to the agent: sound, hands-free or by talk button, and typed words. */

import { toBase64 } from "./audio/pcm.js";

const PRE_ROLL_CHUNKS = 10; // 200 ms sent from before the talk button went down
const TAIL_MS = 200; // the last word goes on a little after the button came up
const SHORTEST_PRESS_MS = 250;

export class Outgoing {
  #connection;
  /** @type {object|null} what the server does by itself, to return to after push-to-talk */
  #turnDetection = { type: "semantic_vad" };
  /** @type {ArrayBuffer[]} */
  #preRoll = [];
  #pressedAt = 0;
  #releasing = 0;
  #committing = false;
  /** The agent hears when a turn ends; otherwise the talk button says so. */
  automatic = true;
  pressed = false;

  /** @param {import("./connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** @param {any} session as the server described it when it began */
  begin(session) {
    this.#turnDetection = session?.audio?.input?.turn_detection ?? this.#turnDetection;
    if (!this.automatic) this.setAutomatic(false);
  }

  /** @param {boolean} automatic */
  setAutomatic(automatic) {
    this.automatic = automatic;
    const turn_detection = automatic ? this.#turnDetection : null;
    this.#connection.send({
      type: "session.update",
      session: { type: "realtime", audio: { input: { turn_detection } } },
    });
  }

  /** @param {ArrayBuffer} pcm 24 kHz PCM16 from the microphone */
  sound(pcm) {
    if (this.automatic || this.pressed) this.#append(pcm);
    else {
      this.#preRoll.push(pcm);
      if (this.#preRoll.length > PRE_ROLL_CHUNKS) this.#preRoll.shift();
    }
  }

  /** @param {string} text */
  type(text) {
    this.#connection.send({
      type: "conversation.item.create",
      item: { type: "message", role: "user", content: [{ type: "input_text", text }] },
    });
    this.#connection.send({ type: "response.create" });
  }

  /** The talk button goes down. @returns {boolean} whether a turn began with it */
  press() {
    if (this.automatic || this.#connection.status !== "open") return false;
    clearTimeout(this.#releasing);
    if (this.pressed) return false; // let go and pressed again within the tail: the turn goes on
    this.pressed = true;
    this.#pressedAt = performance.now();
    this.#connection.send({ type: "input_audio_buffer.clear" });
    for (const pcm of this.#preRoll.splice(0)) this.#append(pcm);
    return true;
  }

  /**
   * The talk button comes up.
   * @returns {Promise<boolean>} whether that ended a turn; false when the press was too short
   */
  async release() {
    if (!this.pressed) return true;
    if (performance.now() - this.#pressedAt < SHORTEST_PRESS_MS) {
      this.pressed = false;
      this.#connection.send({ type: "input_audio_buffer.clear" });
      return false;
    }
    clearTimeout(this.#releasing);
    await new Promise((resolve) => {
      this.#releasing = setTimeout(resolve, TAIL_MS);
    });
    this.pressed = false;
    this.#committing = true;
    this.#connection.send({ type: "input_audio_buffer.commit" });
    return true;
  }

  /** The server took the turn: by the talk button, it is also to be answered. */
  committed() {
    if (this.#committing) this.#connection.send({ type: "response.create" });
    this.#committing = false;
  }

  /** There was nothing in the turn. */
  nothingCommitted() {
    this.#committing = false;
  }

  /** The connection broke: what was being said is lost. */
  breakOff() {
    clearTimeout(this.#releasing);
    this.pressed = this.#committing = false;
  }

  /** @param {ArrayBuffer} pcm */
  #append(pcm) {
    if (this.#connection.status !== "open") return;
    this.#connection.send({ type: "input_audio_buffer.append", audio: toBase64(pcm) });
  }
}
