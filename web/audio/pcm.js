/** PCM16 as it travels: little-endian samples in base64, 24 kHz mono. */

export const WIRE_RATE = 24000;

/**
 * @param {ArrayBuffer} buffer PCM16 samples
 * @returns {string} base64
 */
export function toBase64(buffer) {
  const bytes = new Uint8Array(buffer);
  let text = "";
  for (let start = 0; start < bytes.length; start += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(text);
}

/**
 * @param {string} text base64 of PCM16 samples
 * @returns {Float32Array} samples in [-1, 1)
 */
export function fromBase64(text) {
  const binary = atob(text);
  const samples = new Float32Array(binary.length >> 1);
  for (let i = 0; i < samples.length; i += 1) {
    const value = binary.charCodeAt(2 * i) | (binary.charCodeAt(2 * i + 1) << 8);
    samples[i] = ((value << 16) >> 16) / 32768;
  }
  return samples;
}

/**
 * @param {Float32Array} samples samples in [-1, 1]; what lies outside is clipped
 * @returns {Int16Array}
 */
export function toPcm16(samples) {
  const pcm = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i += 1) {
    pcm[i] = Math.max(-32768, Math.min(32767, Math.round(samples[i] * 32767)));
  }
  return pcm;
}

/**
 * @param {Float32Array} samples
 * @returns {number} root mean square
 */
export function rms(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length ? Math.sqrt(sum / samples.length) : 0;
}
