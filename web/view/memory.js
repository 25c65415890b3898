/** The dialog with all that is remembered of the person: to read, to take along, to delete. */

import { download } from "../transcript.js";
import { Locked, forget, recall } from "../remembered.js";
import { byId, element, icon } from "./dom.js";
import { confirmErase } from "./settings.js";

/** @typedef {import("../remembered.js").Memory} Memory */

const KINDS = {
  fact: "About you",
  person: "Somebody you know",
  mood: "How you felt",
  helped: "What helped",
};
const LOCKED =
  "Something is remembered under this name, and it opens only with its key, which this browser " +
  "does not have. If it is yours, copy the key from the browser where you gave the name first, or " +
  "ask whoever runs the server for a new one. If it is not, choose another name.";

export class MemoryDialog {
  #person;
  #token;
  #unlocked;
  #dialog = /** @type {HTMLDialogElement} */ (byId("memory"));
  #name = "";
  /** @type {import("../remembered.js").Remembered|null} */
  #remembered = null;

  /**
   * @param {import("../person.js").Person} person
   * @param {() => string} token the server's own
   * @param {() => void} unlocked the person showed the right key
   */
  constructor(person, token, unlocked) {
    this.#person = person;
    this.#token = token;
    this.#unlocked = unlocked;
    byId("memory-open").onclick = () => this.open();
    byId("memory-close").onclick = () => this.#dialog.close();
    this.#dialog.onclick = ({ target }) => {
      if (target === this.#dialog) this.#dialog.close();
    };
    byId("memory-export").onclick = () =>
      download("memory.json", "application/json", JSON.stringify(this.#remembered, null, 2));
    byId("memory-erase").onclick = () => this.#eraseAll();
    byId("key-form").onsubmit = (event) => {
      event.preventDefault();
      this.#unlock();
    };
  }

  /** Shows what is remembered under the person's name by now. */
  async open() {
    this.#name = this.#person.name;
    this.#remembered = null;
    byId("memory-title").textContent = `What it remembers of ${this.#name}`;
    this.#render("Asking the server…");
    this.#dialog.showModal();
    await this.#attempt(async () => {
      await this.#recall(this.#person.keyOf(this.#name));
      this.#render();
    });
  }

  /** @param {string} key */
  async #recall(key) {
    this.#remembered = await recall({ name: this.#name, key, token: this.#token() });
  }

  /** @param {string} [id] */
  async #forget(id) {
    const key = this.#person.keyOf(this.#name);
    await forget({ name: this.#name, key, token: this.#token() }, id);
  }

  async #unlock() {
    const field = /** @type {HTMLInputElement} */ (byId("key-given"));
    const key = field.value.trim().toLowerCase();
    try {
      await this.#recall(key);
      this.#person.keep(this.#name, key);
      field.value = "";
      this.#unlocked();
      this.#render("Unlocked. From the next conversation on, it knows you.");
      byId("memory-close").focus();
    } catch (error) {
      const text = error instanceof Locked ? "This is not the key of this name." : error.message;
      byId("memory-state").textContent = text;
    }
  }

  /** @param {Memory} memory */
  async #erase({ id, text }) {
    const words = `“${clause(text)}” is deleted from the server. This cannot be undone.`;
    if (!(await confirmErase("Delete this memory?", words))) return;
    await this.#attempt(async () => {
      await this.#forget(id);
      const { memories } = this.#remembered;
      const place = memories.findIndex((each) => each.id === id);
      memories.splice(place, 1);
      this.#render("Deleted.");
      const buttons = byId("memories").querySelectorAll("button");
      (buttons[Math.min(place, buttons.length - 1)] ?? byId("memory-close")).focus();
    });
  }

  async #eraseAll() {
    const words =
      `All that is remembered of ${this.#name} is deleted from the server. This cannot be undone. ` +
      "What was said is kept with the conversations, and deleted with them.";
    if (!(await confirmErase("Delete everything it remembers?", words))) return;
    await this.#attempt(async () => {
      await this.#forget();
      this.#remembered.memories = [];
      this.#render("Everything is deleted.");
      byId("memory-close").focus();
    });
  }

  /** @param {() => Promise<void>} work */
  async #attempt(work) {
    try {
      await work();
    } catch (error) {
      if (error instanceof Locked) this.#remembered = null;
      this.#render(error instanceof Locked ? LOCKED : error.message);
      byId("key-form").hidden = !(error instanceof Locked);
    }
  }

  /** @param {string} [state] what to say about it, instead of how much there is */
  #render(state) {
    const memories = this.#remembered?.memories ?? [];
    const counted = memories.length ? "" : "Nothing is remembered yet.";
    byId("memory-state").textContent = state ?? counted;
    byId("key-form").hidden = true;
    byId("memories").replaceChildren(...memories.map((memory) => this.#item(memory)));
    byId("memory-actions").hidden = !memories.length;
    const key = this.#remembered ? this.#person.keyOf(this.#name) : "";
    byId("memory-key").hidden = !key;
    /** @type {HTMLInputElement} */ (byId("key")).value = key;
  }

  /** @param {Memory} memory @returns {HTMLElement} */
  #item(memory) {
    const { kind, text, at } = memory;
    const time = /** @type {HTMLTimeElement} */ (element("time", "", day(at)));
    time.dateTime = at;
    const words = element("p", "", clause(text));
    const origin = element("p", "small", `${KINDS[kind] ?? kind} · `, time);
    const erase = /** @type {HTMLButtonElement} */ (element("button", "icon", icon("i-delete")));
    erase.type = "button";
    erase.title = "Delete this memory";
    erase.setAttribute("aria-label", `Delete: ${clause(text)}`);
    erase.onclick = () => this.#erase(memory);
    return element("li", "", element("div", "", words, origin), erase);
  }
}

/** @param {string} text @returns {string} as a sentence of its own, without its full stop */
function clause(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {string} at ISO 8601 @returns {string} */
function day(at) {
  return new Date(at).toLocaleDateString([], { dateStyle: "medium" });
}
