/** The one audio context of the page, with the microphone and the agent's voice in it. */

import { Microphone } from "./microphone.js";
import { Player } from "./playback.js";

/** @typedef {{context: AudioContext, microphone: Microphone, player: Player}} Sound */

/**
 * Must be called from a click or a key press, or browsers stay silent.
 * @returns {Promise<Sound>}
 */
export async function openSound() {
  const context = new AudioContext({ latencyHint: "interactive" });
  const modules = ["capture", "playback"].map(
    (name) => new URL(`${name}-worklet.js`, import.meta.url),
  );
  await Promise.all(modules.map((url) => context.audioWorklet.addModule(url)));
  // A call or a locked screen may have stopped the context; the next touch starts it again.
  const wake = () => context.state !== "running" && context.resume();
  for (const type of ["pointerdown", "keydown", "visibilitychange"]) {
    document.addEventListener(type, wake);
  }
  return { context, microphone: new Microphone(context), player: new Player(context) };
}
