/** Small tools for the page's own elements. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T} the element that the page surely has
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return /** @type {T} */ (found);
}

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {(Node|string)[]} children
 * @returns {HTMLElement}
 */
export function element(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/**
 * @param {string} tag
 * @param {Record<string, string|number>} attributes
 * @param {(Node|string)[]} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} icon id of a symbol of the page @returns {SVGElement} */
export function icon(icon) {
  return svg("svg", { "aria-hidden": "true" }, svg("use", { href: `#${icon}` }));
}
