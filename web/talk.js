/**
 * One talk with the agent: turns the server's events into the conversation, the state the agent
 * is in, and what is to be played or not.
 */

import { openSound } from "./audio/sound.js";
import { Incoming, TRUNCATION } from "./incoming.js";
import { Outgoing } from "./outgoing.js";
import { eraseConversation } from "./stored.js";

const LONGEST_THOUGHT_MS = 30_000;

/** What engines do, by their kind. */
const TASKS = {
  recognizer: "listens",
  paralinguistics: "reads your voice",
  language_model: "answers",
  synthesizer: "speaks",
};

/** @typedef {keyof typeof import("./view/words.js").STATE_NAMES} State */

/**
 * @typedef {object} Session see `voice_agent.session`
 * @property {string} session_id
 * @property {string} [secret] opens and erases what is kept of it
 * @property {Record<string, string>} engines
 * @property {string} [disclosure]
 * @property {string} [profile]
 * @property {"kept"|"session"|"locked"} [memory] whether what is learned outlives the conversation
 * @property {string|null} [user_key] opens it the next time
 */

/**
 * Events: `state` (something that is shown as state changed), `session` (detail: {@link Session},
 * a conversation began), `disclosure` (detail: what the person is to be told of the agent once
 * more), `problem` (detail: what to tell the person), `trouble` (detail: the same, of what failed in
 * the agent while the talk goes on; each once), `deleted`.
 */
export class Talk extends EventTarget {
  #connection;
  #conversation;
  #outgoing;
  #incoming;
  /** @type {Promise<void>|null} */
  #prepared = null;
  /** @type {import("./audio/playback.js").Player|null} */
  player = null;
  /** @type {import("./audio/microphone.js").Microphone|null} */
  microphone = null;
  /** @type {Session[]} all conversations of this page, the running one last */
  sessions = [];
  #hearing = false;
  #thinking = false;
  #thinkingTimer = 0;
  #greeted = false;
  /** Whether the agent has had its say since the conversation began. */
  #answered = false;
  /** @type {Set<string>} */
  #troubles = new Set();

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {import("./conversation.js").Conversation} conversation
   */
  constructor(connection, conversation) {
    super();
    this.#connection = connection;
    this.#conversation = conversation;
    this.#outgoing = new Outgoing(connection);
    this.#incoming = new Incoming(connection, conversation);
    connection.addEventListener("message", ({ detail }) => this.#receive(detail));
    connection.addEventListener("status", () => this.#followConnection());
  }

  /** @returns {State} */
  get state() {
    const { status } = this.#connection;
    if (status === "closed") return "offline";
    if (status !== "open") return this.#greeted ? "reconnecting" : "connecting";
    if (this.#hearing || this.pressed) return "hearing";
    if (this.player?.item) return this.player.held ? "paused" : "speaking";
    return this.#thinking ? "thinking" : "listening";
  }

  /** @returns {boolean} whether the agent hears by itself when a turn ends */
  get automatic() {
    return this.#outgoing.automatic;
  }

  /** @returns {boolean} whether the talk button is down */
  get pressed() {
    return this.#outgoing.pressed;
  }

  /** @returns {boolean} whether there is a reply to stop */
  get replying() {
    return this.#incoming.active;
  }

  /** Makes ready to play and to listen; must be called from a click or key press. */
  prepare() {
    this.#prepared ??= this.#openSound();
    return this.#prepared;
  }

  async #openSound() {
    const { context, microphone, player } = await openSound();
    this.microphone = microphone;
    this.player = player;
    this.#incoming.connect(player, context, () => {
      if (player.item) this.#think(false);
      this.#changed();
    });
    microphone.addEventListener("chunk", ({ detail }) => this.#outgoing.sound(detail.pcm));
    microphone.addEventListener("lost", () => {
      this.#tell("The microphone went away. You can type, or choose another one in the settings.");
      this.#changed();
    });
  }

  /** Ends the talk: closes microphone and connection, and is silent. */
  async end() {
    this.microphone?.close();
    await this.player?.drop();
    this.#connection.close();
    this.#greeted = false;
    this.#troubles.clear();
  }

  /** @param {boolean} automatic hands-free, or by the talk button */
  setAutomatic(automatic) {
    this.#outgoing.setAutomatic(automatic);
    this.#hearing = false;
    this.#changed();
  }

  /**
   * @param {string} text typed instead of spoken
   * @returns {Promise<boolean>} whether it went out
   */
  async say(text) {
    if (this.#connection.status !== "open") return false;
    await this.stop();
    this.#outgoing.type(text);
    this.#think(true);
    this.#changed();
    return true;
  }

  /** Stops the agent's speech. */
  async stop() {
    if (this.replying) await this.#incoming.stop();
    this.#think(false);
    this.#changed();
  }

  /** The talk button goes down; whatever the agent says stops. */
  async press() {
    if (this.#outgoing.press()) await this.stop();
  }

  /** The talk button comes up: the turn ends. */
  async release() {
    if (!this.pressed) return;
    if (await this.#outgoing.release()) this.#think(true);
    else this.#tell("Hold the button down while you speak, and let go when you are done.");
    this.#changed();
  }

  /**
   * Erases all conversations of this page on the server.
   * @throws {Error} if the server does not
   */
  async erase() {
    await this.player?.drop();
    const running = this.#connection.status === "open" ? this.sessions.at(-1) : undefined;
    const left = [];
    for (const session of this.sessions.filter((each) => each !== running)) {
      try {
        await eraseConversation(session);
        this.#forget(session.session_id);
      } catch (error) {
        left.push(error);
      }
    }
    if (running) this.#connection.send({ type: "voice_agent.conversation.delete" });
    else if (!left.length) this.#deleted();
    if (left.length) throw left[0];
  }

  #followConnection() {
    if (this.#connection.status !== "open") {
      this.#hearing = false;
      this.#think(false);
      this.#outgoing.breakOff();
      this.#incoming.breakOff();
      this.#conversation.breakOff();
    }
    this.#changed();
  }

  /** @param {any} event from the server */
  #receive(event) {
    const handler = this.#handlers[event.type];
    if (!handler) return;
    handler(event);
    this.#changed();
  }

  /** @type {Record<string, (event: any) => void>} */
  #handlers = {
    "session.created": ({ session }) => {
      this.#outgoing.begin(session);
      if (this.#greeted && this.#conversation.entries.length) {
        this.#conversation.note("Connected again – the agent does not recall the above");
      }
      this.#greeted = true;
    },
    "voice_agent.session": (event) => {
      this.#answered = false;
      this.sessions.push(event);
      this.dispatchEvent(new CustomEvent("session", { detail: event }));
    },
    "voice_agent.disclosure": ({ text }) => {
      // At the start of a conversation it stands on the page already.
      if (!this.#answered && text === this.sessions.at(-1)?.disclosure) return;
      this.dispatchEvent(new CustomEvent("disclosure", { detail: text }));
    },
    "input_audio_buffer.speech_started": ({ item_id }) => {
      this.#hearing = true;
      this.#think(false);
      this.#conversation.hear(item_id);
      this.#incoming.interrupt().then(() => this.#changed());
    },
    "voice_agent.speech_ignored": ({ item_id }) => {
      this.#hearing = false;
      this.#think(false);
      this.#conversation.remove(item_id);
    },
    "input_audio_buffer.speech_stopped": () => {
      this.#hearing = false;
      this.#think(true);
    },
    "input_audio_buffer.committed": () => this.#outgoing.committed(),
    "voice_agent.caption": ({ item_id, text, stable }) =>
      this.#conversation.caption(item_id, text, stable),
    "conversation.item.input_audio_transcription.delta": ({ item_id, delta }) =>
      this.#conversation.captionDelta(item_id, delta),
    "conversation.item.input_audio_transcription.completed": ({ item_id, transcript }) =>
      this.#conversation.transcribed(item_id, transcript),
    "conversation.item.input_audio_transcription.failed": ({ item_id }) =>
      this.#conversation.transcribed(item_id, "(not understood)"),
    "voice_agent.paralinguistics": ({ item_id, paralinguistics }) =>
      this.#conversation.heardHow(item_id, paralinguistics),
    "conversation.item.added": ({ item }) => {
      const typed = item.content?.find((part) => part.type === "input_text")?.text;
      if (item.role === "user" && typed) this.#conversation.typed(item.id, typed);
    },
    "conversation.item.deleted": ({ item_id }) => this.#conversation.remove(item_id),
    "response.created": () => {
      this.#incoming.expect();
      this.#think(true);
    },
    "response.output_item.added": ({ response_id, item }) => {
      if (item.type === "message") this.#incoming.begin(response_id, item.id);
    },
    "voice_agent.thought.draft": ({ item_id, thought }) =>
      this.#conversation.consider(item_id, thought),
    "voice_agent.thought": ({ response_id, thought }) =>
      this.#conversation.think(response_id, thought),
    "voice_agent.latency": ({ response_id, latency_ms }) =>
      this.#conversation.timed(response_id, latency_ms),
    "response.output_audio_transcript.delta": ({ item_id, delta }) =>
      this.#conversation.replyText(item_id, delta),
    "response.output_audio.delta": ({ item_id, delta }) => this.#incoming.audio(item_id, delta),
    "response.output_audio.done": ({ item_id }) => this.#incoming.audioDone(item_id),
    "response.done": ({ response }) => {
      this.#answered = true;
      if (!this.#incoming.done(response)) this.#think(false);
      const reason = response.status_details?.error?.message;
      if (response.status === "failed") this.#tell(reason ?? "The agent could not answer.");
    },
    "voice_agent.engine.switched": ({ kind, failed, instead }) =>
      this.#tellOfTrouble(`${instead} ${TASKS[kind] ?? "works"} in place of ${failed}.`),
    "voice_agent.playback.paused": () => this.player?.hold(),
    "voice_agent.playback.resumed": () => this.player?.resume(),
    "voice_agent.conversation.deleted": ({ session_id }) => {
      this.#forget(session_id);
      this.#deleted();
    },
    error: ({ error }) => {
      if (error.event_id?.startsWith(TRUNCATION)) return; // the server had cut it already
      if (error.code === "response_cancel_not_active") return; // it had just ended
      if (!this.#incoming.active) this.#think(false); // otherwise something else answers
      if (error.code === "input_audio_buffer_commit_empty") {
        this.#outgoing.nothingCommitted();
        this.#tell("Nothing was heard. Please try again.");
      } else if (this.#connection.status !== "open") return;
      else if (error.type === "server_error") this.#tellOfTrouble(error.message);
      else this.#tell(error.message);
    },
  };

  /** @param {string} id */
  #forget(id) {
    this.sessions = this.sessions.filter((session) => session.session_id !== id);
  }

  #deleted() {
    this.#conversation.clear();
    this.dispatchEvent(new Event("deleted"));
  }

  /** @param {boolean} thinking */
  #think(thinking) {
    clearTimeout(this.#thinkingTimer);
    this.#thinking = thinking;
    if (!thinking) return;
    this.#thinkingTimer = setTimeout(() => {
      this.#thinking = false;
      this.#tell("The agent did not answer. Please say it once more.");
      this.#changed();
    }, LONGEST_THOUGHT_MS);
  }

  /** @param {string} text the same failure may come back with every turn */
  #tellOfTrouble(text) {
    if (this.#troubles.has(text)) return;
    this.#troubles.add(text);
    this.dispatchEvent(new CustomEvent("trouble", { detail: text }));
  }

  /** @param {string} text */
  #tell(text) {
    this.dispatchEvent(new CustomEvent("problem", { detail: text }));
  }

  #changed() {
    this.dispatchEvent(new Event("state"));
  }
}
