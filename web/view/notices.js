/** Short messages about what went wrong and what to do; each kind is shown once. */

import { element, icon } from "./dom.js";

const SHOWN_MS = 9000;

export class Notices {
  /** @type {Map<string, HTMLElement>} */
  #shown = new Map();
  /** @type {HTMLElement} where they appear */
  place;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /**
   * @param {string} kind replaces an earlier notice of the same kind
   * @param {string} text
   * @param {object} [options]
   * @param {boolean} [options.lasting] until it is closed
   * @param {boolean} [options.calm] nothing has to be done about it
   * @param {{label: string, run: () => void}} [options.action]
   */
  show(kind, text, { lasting = false, calm = false, action } = {}) {
    const shown = this.#shown.get(kind);
    if (shown?.isConnected && shown.firstElementChild.textContent === text) return;
    this.hide(kind);
    const notice = element("div", "notice", element("p", "", text));
    notice.dataset.kind = kind;
    notice.classList.toggle("calm", calm);
    if (action) {
      const button = element("button", "", action.label);
      button.type = "button";
      button.onclick = action.run;
      notice.append(button);
    }
    const close = element("button", "icon", icon("i-close"));
    close.type = "button";
    close.setAttribute("aria-label", "Close message");
    close.onclick = () => this.hide(kind);
    notice.append(close);
    this.#shown.set(kind, notice);
    this.place.append(notice);
    if (!lasting) setTimeout(() => notice.remove(), SHOWN_MS);
  }

  /** @param {string} kind */
  hide(kind) {
    this.#shown.get(kind)?.remove();
    this.#shown.delete(kind);
  }
}
