/** The person's microphone as a stream of 24 kHz PCM16. */

/** @typedef {"refused"|"absent"|"busy"|"insecure"|"failed"} MicrophoneFault */

const FAULTS = /** @type {Record<string, MicrophoneFault>} */ ({
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "absent",
  OverconstrainedError: "absent",
  NotReadableError: "busy",
  AbortError: "busy",
});

export class MicrophoneError extends Error {
  /** @param {MicrophoneFault} fault */
  constructor(fault) {
    super(`microphone ${fault}`);
    this.fault = fault;
  }
}

/**
 * Events: `chunk` (detail `{pcm: ArrayBuffer, level: number}`, every 20 ms) and `lost` when the
 * device goes away.
 */
export class Microphone extends EventTarget {
  #context;
  /** @type {MediaStream|null} */
  #stream = null;
  /** @type {MediaStreamAudioSourceNode|null} */
  #source = null;
  /** @type {AudioWorkletNode|null} */
  #node = null;
  #muted = false;
  level = 0;

  /** @param {AudioContext} context */
  constructor(context) {
    super();
    this.#context = context;
  }

  get isOpen() {
    return this.#stream !== null;
  }

  get muted() {
    return this.#muted;
  }

  /** Silences the device itself, so that what is sent is digital silence. @param {boolean} muted */
  set muted(muted) {
    this.#muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
    if (muted) this.level = 0;
  }

  /** @returns {string} id of the device in use, "" when closed */
  get deviceId() {
    return this.#stream?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  }

  /**
   * Opens a device, replacing the one in use only when that succeeds.
   * @param {string} [deviceId] "" for the default
   * @throws {MicrophoneError}
   */
  async open(deviceId = "") {
    if (!navigator.mediaDevices?.getUserMedia) throw new MicrophoneError("insecure");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: {
          echoCancellation: true,
          noiseSuppression: true,
          autoGainControl: true,
          channelCount: 1,
          ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
        },
      });
    } catch (error) {
      throw new MicrophoneError(FAULTS[/** @type {Error} */ (error).name] ?? "failed");
    }
    this.close();
    this.#stream = stream;
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#node = new AudioWorkletNode(this.#context, "capture", { numberOfOutputs: 0 });
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    this.#source.connect(this.#node);
    stream.getAudioTracks()[0].onended = () => {
      this.close();
      this.dispatchEvent(new Event("lost"));
    };
    this.muted = this.#muted;
  }

  /** Lets go of the device. */
  close() {
    this.#source?.disconnect();
    if (this.#node) this.#node.port.onmessage = null;
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#stream = this.#source = this.#node = null;
    this.level = 0;
  }

  /** @param {{pcm: ArrayBuffer, level: number}} chunk */
  #take(chunk) {
    this.level = chunk.level;
    this.dispatchEvent(new CustomEvent("chunk", { detail: chunk }));
  }
}
