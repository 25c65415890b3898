/** The colours of states and emotions: light, body and shade of the orb. */

/** @typedef {[number, number, number]} Rgb */
/** @typedef {[Rgb, Rgb, Rgb]} Palette */

const HEX = {
  neutral: ["#ffdfba", "#f4a07a", "#d76c86"],
  joyful: ["#fff3b5", "#ffc352", "#f98a5a"],
  happy: ["#ffecc0", "#ffb570", "#ee7a68"],
  comfort: ["#ffe3da", "#eea39e", "#a78bce"],
  sorry: ["#e9e1f6", "#aea0d8", "#6e85c6"],
  sad: ["#d8e5f7", "#88a9da", "#5c70b6"],
  tearful: ["#d5ecf5", "#7ba7c9", "#4f6aa8"],
  angry: ["#ffd2ba", "#ea7055", "#b23c50"],
  surprised: ["#e2fbfd", "#80d3d6", "#7b8cec"],
  afraid: ["#ece2fd", "#a891dc", "#5f6db0"],
  disgusted: ["#eef2c6", "#b2be72", "#6c986c"],
  hearing: ["#dcf6ec", "#7fc9b5", "#4a8fa6"],
  thinking: ["#f3e4f7", "#c19fd6", "#7f7cc4"],
  offline: ["#e6e0db", "#bdb3ab", "#8f857d"],
};

/** @param {string} hex @returns {Rgb} */
function rgb(hex) {
  return /** @type {Rgb} */ ([1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
}

/** @type {Record<string, Palette>} */
export const PALETTES = Object.fromEntries(
  Object.entries(HEX).map(([name, colours]) => [name, colours.map(rgb)]),
);

/** @param {string|undefined} emotion a reply emotion @returns {string} its colour in CSS */
export function swatch(emotion) {
  return (HEX[emotion] ?? HEX.neutral)[1];
}
