/** The websocket to the agent: opens, keeps and reopens it. Knows nothing of what travels on it. */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const FULL_WAIT_MS = 5_000;
const MOST_UNSENT_BYTES = 512 * 1024; // about eight seconds of audio: the line is dead

/** @typedef {"closed"|"connecting"|"open"|"waiting"} Status */
/**
 * `lost` and `full` are tried again by itself; `token` (a token is needed, or another one), `name`
 * (the person's cannot be one), `ended` (the conversation reached its longest) and `refused` wait
 * for the person.
 * @typedef {"lost"|"full"|"token"|"name"|"ended"|"refused"|null} Fault
 */

const ERROR_CODES = /** @type {Record<string, Fault>} */ ({
  overloaded: "full",
  session_expired: "ended",
  invalid_user: "name",
});
const TRY_LATER = 1013;
const HTTP_STATUSES = /** @type {Record<number, Fault>} */ ({
  401: "token",
  403: "refused",
  503: "full",
});

/**
 * Events: `status` (read the properties then), `message` (detail: the server's event), `sent`
 * (detail: the page's event).
 */
export class Connection extends EventTarget {
  /** @type {WebSocket|null} */
  #socket = null;
  #wait = FIRST_WAIT_MS;
  #timer = 0;
  #base;
  #person;
  /** @type {Status} */
  status = "closed";
  /** @type {Fault} why it is not open */
  fault = null;
  /** The server's own words about the fault, if it gave any. */
  explanation = "";
  /** When the next try comes, as of Date.now(). */
  retryAt = 0;
  token = "";
  /** Whom the server was told that it talks to; empty for somebody without a name. */
  user = "";

  /** @param {string} base address of the page @param {import("./person.js").Person} person */
  constructor(base, person) {
    super();
    this.#base = base;
    this.#person = person;
    window.addEventListener("online", () => this.retry());
  }

  /** Connects, and stays connected until {@link close}. */
  open() {
    clearTimeout(this.#timer);
    this.#leave();
    const url = new URL("v1/realtime", this.#base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.user = this.#person.name;
    if (this.user) url.searchParams.set("user", this.user);
    const userKey = this.user && this.#person.keyOf(this.user);
    const protocols = ["realtime"];
    if (this.token) protocols.push(`openai-insecure-api-key.${this.token}`);
    if (userKey) protocols.push(`voice-agent-user-key.${userKey}`);
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    this.explanation = "";
    /** @type {Fault} */
    let told = null;
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === "error" && ERROR_CODES[event.error.code]) {
        told = ERROR_CODES[event.error.code];
        this.explanation = event.error.message;
      }
      if (event.type === "session.created") {
        this.#wait = FIRST_WAIT_MS;
        this.#become("open", null);
      }
      this.dispatchEvent(new CustomEvent("message", { detail: event }));
    };
    socket.onclose = async ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      let fault = told ?? (code === TRY_LATER ? "full" : "lost");
      if (fault === "lost" && this.status !== "open") fault = await this.#askWhy();
      if (this.#socket === null && this.status !== "closed") this.#again(fault);
    };
    this.#become("connecting", null);
  }

  /** Ends the connection for good. */
  close() {
    clearTimeout(this.#timer);
    this.#leave();
    this.#become("closed", null);
  }

  /** Does not wait any longer for the next try. */
  retry() {
    if (this.status === "waiting") this.open();
  }

  /** @param {object} event goes out if the connection is open @returns {boolean} whether it did */
  send(event) {
    if (this.status !== "open" || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(event));
    this.dispatchEvent(new CustomEvent("sent", { detail: event }));
    if (this.#socket.bufferedAmount > MOST_UNSENT_BYTES) {
      this.#leave();
      this.#again("lost");
    }
    return true;
  }

  #leave() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /**
   * A browser hides why a handshake failed; a plain request to the same server tells.
   * @returns {Promise<Fault>}
   */
  async #askWhy() {
    try {
      const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
      const answer = await fetch(new URL("v1/access", this.#base), { headers, cache: "no-store" });
      if (answer.status >= 400) this.explanation = (await answer.json()).error.message;
      return HTTP_STATUSES[answer.status] ?? "lost";
    } catch {
      return "lost";
    }
  }

  /** @param {Fault} fault */
  #again(fault) {
    if (fault !== "lost" && fault !== "full") {
      this.#become("closed", fault);
      return;
    }
    const wait = Math.max(fault === "full" ? FULL_WAIT_MS : 0, this.#wait);
    const spread = wait * (0.8 + 0.4 * Math.random()); // so that not all come back at once
    this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
    this.retryAt = Date.now() + spread;
    this.#timer = setTimeout(() => this.open(), spread);
    this.#become("waiting", fault);
  }

  /** @param {Status} status @param {Fault} fault */
  #become(status, fault) {
    this.status = status;
    this.fault = fault;
    this.dispatchEvent(new Event("status"));
  }
}
