/** The dock: microphone, talk button and space bar, typing, the end of the talk. */

import { byId } from "./dom.js";

/** @typedef {import("../talk.js").Talk} Talk */

/** Where the space bar types or presses something itself. */
const OWN_SPACE = "input, textarea, select, button, summary, a, dialog[open] *";

export class Controls {
  #talk;
  #hold = byId("hold");
  #mic = byId("mic");

  /**
   * @param {Talk} talk
   * @param {object} actions
   * @param {() => void} actions.microphone opens, mutes or unmutes it
   * @param {() => void} actions.end
   * @param {(text: string) => Promise<boolean>} actions.say
   */
  constructor(talk, { microphone, end, say }) {
    this.#talk = talk;
    this.#mic.onclick = microphone;
    byId("end").onclick = end;
    byId("stop").onclick = () => talk.stop();
    byId("say-form").onsubmit = async (event) => {
      event.preventDefault();
      const field = /** @type {HTMLInputElement} */ (byId("say"));
      const text = field.value.trim();
      if (text && (await say(text))) field.value = "";
    };
    this.#followButton();
    this.#followSpaceBar();
  }

  render() {
    const { microphone, automatic, pressed, replying, state } = this.#talk;
    const off = !microphone?.isOpen || microphone.muted;
    this.#mic.classList.toggle("off", off);
    this.#mic.setAttribute("aria-pressed", String(Boolean(microphone?.muted)));
    byId("mic-icon").setAttribute("href", off ? "#i-mic-off" : "#i-mic");
    const label = microphone?.isOpen ? "Mute microphone" : "Turn the microphone on";
    byId("mic-text").textContent = label;
    this.#mic.title = label;
    this.#hold.hidden = automatic;
    this.#hold.disabled = off;
    this.#hold.classList.toggle("down", pressed);
    byId("stop").hidden = !(replying && ["speaking", "paused"].includes(state));
  }

  #followButton() {
    const button = this.#hold;
    button.onpointerdown = (event) => {
      button.setPointerCapture(event.pointerId);
      this.#press();
    };
    button.onpointerup = button.onpointercancel = () => this.#talk.release();
    button.oncontextmenu = (event) => event.preventDefault(); // a long touch is no menu
    button.onkeydown = (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      if (!event.repeat) this.#press();
    };
    button.onkeyup = (event) => {
      if (event.key === "Enter" || event.key === " ") this.#talk.release();
    };
    button.onblur = () => this.#talk.release();
  }

  #followSpaceBar() {
    document.addEventListener("keydown", (event) => {
      const target = /** @type {Element} */ (event.target);
      if (event.key !== " " || this.#talk.automatic || target.closest(OWN_SPACE)) return;
      event.preventDefault();
      if (!event.repeat) this.#press();
    });
    document.addEventListener("keyup", (event) => {
      if (event.key === " ") this.#talk.release();
    });
    window.addEventListener("blur", () => this.#talk.release());
  }

  #press() {
    const { microphone } = this.#talk;
    if (microphone?.isOpen && !microphone.muted) this.#talk.press();
  }
}
