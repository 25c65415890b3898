/** What the page says about the agent's state and about faults. */

/** The states that the agent can be in, as they are shown. */
export const STATE_NAMES = {
  offline: "Offline",
  connecting: "Connecting…",
  reconnecting: "Reconnecting…",
  listening: "Listening",
  hearing: "Hearing you",
  thinking: "Thinking",
  speaking: "Speaking",
  paused: "Paused",
};

/** @type {Record<import("../audio/microphone.js").MicrophoneFault, string>} */
export const MICROPHONE_FAULTS = {
  refused:
    "The microphone was not allowed. You can type; or allow it in the browser and press the " +
    "microphone button.",
  absent:
    "No microphone was found. You can type; or plug one in and press the microphone button.",
  busy:
    "Another program is using the microphone. You can type; or close that program and press the " +
    "microphone button.",
  insecure:
    "Browsers open the microphone only for https and localhost addresses. You can type.",
  failed:
    "The microphone could not be opened. You can type; or try the microphone button once more.",
};

/** @type {Record<import("../connection.js").Status, string>} */
export const LINK_NAMES = {
  open: "Connected",
  connecting: "Connecting",
  waiting: "Reconnecting",
  closed: "Not connected",
};

export const FULL =
  "The agent is talking with as many people as it can. You are let in as soon as there is room.";
export const LOCKED =
  "What is remembered under your name is locked: this browser does not have its key. Nothing of " +
  "this talk is added to it.";
export const NOT_KEPT = "This server remembers nobody, so it will not know you the next time.";
export const LOST = "The connection was lost. Trying to get it back…";

/** @param {import("../talk.js").Talk} talk @returns {string} what the person can do now */
export function hintFor({ state, automatic, microphone }) {
  if (["offline", "connecting", "reconnecting"].includes(state)) return "";
  if (state === "paused") return "Go on if you want to speak";
  if (state === "hearing" || state === "thinking") return "";
  if (!microphone?.isOpen) {
    return state === "speaking" ? "" : "Type below, or turn the microphone on";
  }
  if (microphone.muted) return "Your microphone is muted";
  if (!automatic) {
    return state === "speaking" ? "Hold to interrupt" : "Hold the button or the space bar to talk";
  }
  return state === "speaking" ? "Interrupt any time" : "Just start talking";
}
