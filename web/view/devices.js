/** The choice of microphone and loudspeaker. */

import { byId } from "./dom.js";

const KINDS = /** @type {const} */ ({ audioinput: "Microphone", audiooutput: "Loudspeaker" });

export class Devices {
  #microphones = /** @type {HTMLSelectElement} */ (byId("microphone"));
  #speakers = /** @type {HTMLSelectElement} */ (byId("speaker"));

  /** @param {{microphone: (id: string) => void, speaker: (id: string) => void}} chosen */
  constructor(chosen) {
    this.#microphones.onchange = () => chosen.microphone(this.#microphones.value);
    this.#speakers.onchange = () => chosen.speaker(this.#speakers.value);
    byId("speaker-field").hidden = !("setSinkId" in AudioContext.prototype);
    navigator.mediaDevices?.addEventListener("devicechange", () => this.refresh());
    this.refresh();
  }

  /** Microphone that is chosen, "" for the default. */
  get microphone() {
    return this.#microphones.value;
  }

  /** Lists what is there; names appear only once the microphone was allowed. */
  async refresh() {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    fill(this.#microphones, devices, "audioinput");
    fill(this.#speakers, devices, "audiooutput");
  }
}

/**
 * @param {HTMLSelectElement} select
 * @param {MediaDeviceInfo[]} devices
 * @param {keyof typeof KINDS} kind
 */
function fill(select, devices, kind) {
  const chosen = select.value;
  const listed = devices.filter(
    (device) => device.kind === kind && device.deviceId && device.deviceId !== "default",
  );
  select.replaceChildren(
    new Option("System default", ""),
    ...listed.map(
      ({ label, deviceId }, i) => new Option(label || `${KINDS[kind]} ${i + 1}`, deviceId),
    ),
  );
  select.value = listed.some((device) => device.deviceId === chosen) ? chosen : "";
}
