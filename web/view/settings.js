/** The settings dialog: turns, devices, appearance, and what can be done with the conversation. */

import { byId } from "./dom.js";

const THEME = "voice-agent-theme";

/** Applies the appearance that was chosen earlier and follows the choice. */
export function followTheme() {
  /** @param {string} theme */
  const apply = (theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  const chosen = localStorage.getItem(THEME) ?? "system";
  apply(chosen);
  for (const input of radios("theme")) {
    input.checked = input.value === chosen;
    input.onchange = () => {
      localStorage.setItem(THEME, input.value);
      apply(input.value);
    };
  }
}

/** @param {string} name @returns {HTMLInputElement[]} */
function radios(name) {
  return [...document.querySelectorAll(`input[name="${name}"]`)];
}

/** The dialog opens and closes; a click beside it closes it too. */
export function openOnDemand() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("settings"));
  byId("settings-open").onclick = () => dialog.showModal();
  byId("settings-close").onclick = () => dialog.close();
  dialog.onclick = ({ target }) => {
    if (target === dialog) dialog.close();
  };
}

/** @param {(automatic: boolean) => void} chosen */
export function onTurnChoice(chosen) {
  for (const input of radios("turns")) {
    input.onchange = () => chosen(input.value === "automatic");
  }
}

/**
 * @param {string} title
 * @param {string} text what is erased
 * @returns {Promise<boolean>} whether the person wants that
 */
export function confirmErase(title, text) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("erase-dialog"));
  byId("erase-title").textContent = title;
  byId("erase-text").textContent = text;
  dialog.returnValue = "keep";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "erase");
  });
}
