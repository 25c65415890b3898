/** Who is talking: the name in the settings, and what comes of it, on the welcome and in the talk. */

import { byId } from "./dom.js";

const NOTE =
  "Optional. With a name, it remembers what you tell it for the next time. Leave it empty, and it " +
  "will know nothing of you then.";
const RUNNING = "End the conversation to change this.";

export class PersonView {
  #person;
  #field = /** @type {HTMLInputElement} */ (byId("name"));

  /** @param {import("../person.js").Person} person */
  constructor(person) {
    this.#person = person;
    this.#field.value = person.name;
    this.#field.oninput = () => {
      person.name = this.#field.value;
      this.#refuse("");
      this.render();
    };
    byId("who-change").onclick = () => this.ask();
    this.render();
  }

  /** @param {boolean} running during a conversation it stays with the name that it began with */
  lock(running) {
    this.#field.disabled = running;
    byId("name-note").textContent = running ? RUNNING : NOTE;
  }

  /** Opens the settings at the name. @param {string} [problem] what is wrong with it */
  ask(problem = "") {
    this.#refuse(problem);
    const settings = /** @type {HTMLDialogElement} */ (byId("settings"));
    if (!settings.open) settings.showModal();
    this.#field.focus();
    this.#field.select();
  }

  render() {
    const { name } = this.#person;
    byId("who-text").textContent = name
      ? `It knows you as ${name}.`
      : "Without a name, it will not know you the next time.";
    byId("who-change").textContent = name ? "Change" : "Give a name";
    byId("memory-open").disabled = !name;
  }

  /** @param {string} name @param {import("../talk.js").Session["memory"]} memory in this talk */
  tell(name, memory) {
    byId("remembering").textContent =
      memory === "kept" ? `It remembers you as ${name}.` : name ? "It does not remember you." : "";
  }

  /** @param {string} problem */
  #refuse(problem) {
    byId("name-problem").textContent = problem;
    this.#field.setAttribute("aria-invalid", String(Boolean(problem)));
  }
}
