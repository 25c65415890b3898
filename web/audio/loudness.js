/** How loud a level seems. */

const FLOOR_DB = -55;
const CEILING_DB = -12;

/** @param {number} level RMS, full scale 1 @returns {number} loudness in [0, 1] */
export function loudness(level) {
  const db = 20 * Math.log10(Math.max(level, 1e-6));
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}
