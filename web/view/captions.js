/** Both sides' words as they come: what is sure, what may still change, what was heard so far. */

import { element } from "./dom.js";
import { wholeLatency } from "./panel.js";

/** @typedef {import("../conversation.js").Entry} Entry */

const NEAR_END_PX = 80;
const SPOKEN_LINES = 12;

export class Captions {
  #conversation;
  #list;
  #scroll;
  #spoken;
  /** @type {Map<string, HTMLElement>} */
  #items = new Map();
  /** @type {Set<string>} entries that were read out already */
  #told = new Set();
  #select;

  /**
   * @param {import("../conversation.js").Conversation} conversation
   * @param {{list: HTMLElement, scroll: HTMLElement, spoken: HTMLElement}} places
   * @param {(entry: Entry) => void} select shows the details of a reply
   */
  constructor(conversation, { list, scroll, spoken }, select) {
    this.#conversation = conversation;
    this.#list = list;
    this.#scroll = scroll;
    this.#spoken = spoken;
    this.#select = select;
    conversation.addEventListener("change", ({ detail }) => this.#update(detail));
    conversation.addEventListener("removed", ({ detail }) => this.#remove(detail));
    conversation.addEventListener("cleared", () => {
      this.#items.clear();
      this.#list.replaceChildren();
      this.#spoken.replaceChildren();
    });
  }

  /** @param {Entry} entry */
  #update(entry) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    const follow = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    let item = this.#items.get(entry.key);
    if (!item) {
      item = element("li", `caption ${entry.role}`);
      item.dataset.item = entry.id ?? "";
      this.#items.set(entry.key, item);
      this.#list.append(item);
    }
    item.dataset.status = entry.status;
    const focused = item.contains(document.activeElement);
    item.replaceChildren(...this.#content(entry));
    if (focused) item.querySelector("button")?.focus();
    this.#tell(entry);
    if (follow) this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  /** @param {Entry} entry */
  #remove(entry) {
    this.#items.get(entry.key)?.remove();
    this.#items.delete(entry.key);
  }

  /** @param {Entry} entry @returns {(Node|string)[]} */
  #content(entry) {
    if (entry.role === "note") return [entry.text];
    if (entry.role === "user") return userWords(entry);
    const words = replyWords(entry);
    return entry.thought || entry.latency ? [...words, this.#traits(entry)] : words;
  }

  /** @param {Entry} entry @returns {HTMLElement} */
  #traits(entry) {
    const traits = element("button", "traits");
    traits.type = "button";
    const latency = wholeLatency(entry.latency);
    const parts = [
      entry.thought?.reply_emotion,
      entry.thought?.strategy,
      latency === null ? null : `${Math.round(latency)} ms`,
    ];
    for (const part of parts) if (part) traits.append(element("span", "", part));
    traits.title = "Show the thoughts behind this answer";
    traits.onclick = () => this.#select(entry);
    return traits;
  }

  /** Reads finished lines out to screen readers, once, not word by word. @param {Entry} entry */
  #tell(entry) {
    const over = entry.status !== "live" && (entry.role !== "agent" || entry.heard > 0);
    if (!over || this.#told.has(entry.key) || !entry.text) return;
    this.#told.add(entry.key);
    const who = { user: "You: ", agent: "Agent: ", note: "" }[entry.role];
    this.#spoken.append(element("p", "", who + entry.text));
    if (this.#spoken.childElementCount > SPOKEN_LINES) this.#spoken.firstElementChild.remove();
  }
}

/** @param {Entry} entry @returns {Node[]} */
function userWords(entry) {
  const who = element("span", "visually-hidden", "You: ");
  if (entry.status !== "live") return [who, element("span", "stable", entry.text)];
  if (!entry.text) return [who, element("span", "waiting", "…")];
  const stable = entry.text.startsWith(entry.stable) ? entry.stable : "";
  return [
    who,
    element("span", "stable", stable),
    element("span", "unstable", entry.text.slice(stable.length)),
  ];
}

/** @param {Entry} entry @returns {Node[]} */
function replyWords(entry) {
  const heard = entry.text.slice(0, entry.heard);
  const words = [
    element("span", "visually-hidden", "Agent: "),
    element("span", "heard", heard.trimStart()),
  ];
  if (entry.status === "interrupted") words.push(element("span", "cut", " … interrupted"));
  else words.push(element("span", "coming", entry.text.slice(entry.heard)));
  return words;
}
