/** Who the person says they are, kept in this browser with the keys that open what is remembered. */

const NAME = "voice-agent-name";
const KEYS = "voice-agent-user-keys";

/** @returns {Map<string, string>} keys by name */
function keys() {
  try {
    return new Map(JSON.parse(localStorage.getItem(KEYS) ?? "[]"));
  } catch {
    return new Map();
  }
}

/** @param {string} name @returns {string} about as the server compares it */
function comparable(name) {
  return name.normalize("NFKC").toLowerCase().trim().replace(/\s+/g, " ");
}

/** Nothing is held here but in the browser's storage: other tabs of the page write there too. */
export class Person {
  /** @returns {string} empty for somebody who is not to be remembered */
  get name() {
    return localStorage.getItem(NAME) ?? "";
  }

  set name(name) {
    if (name.trim()) localStorage.setItem(NAME, name.trim());
    else localStorage.removeItem(NAME);
  }

  /** @param {string} name @returns {string} its key, empty where the server has handed out none */
  keyOf(name) {
    return keys().get(comparable(name)) ?? "";
  }

  /** @param {string} name @param {string} key which opens what is remembered under the name */
  keep(name, key) {
    const kept = keys().set(comparable(name), key);
    localStorage.setItem(KEYS, JSON.stringify([...kept]));
  }
}
