// Templates, slots and sentences. The only ways in which this page makes elements: cloned templates, attributes, text.
// Nothing here takes markup, so nothing a stranger wrote can become any.

import { words } from "../words/en.js";

/** What may stand inside an element: text, an element, or several of them. @typedef {Node | string | null | undefined} Piece */

/**
 * The sentence under a dotted key of `words`. A missing one is a mistake of ours, so it throws where a check will see it.
 * @param {string} key
 * @returns {string}
 */
export function sentence(key) {
  /** @type {any} */
  let at = words;
  for (const part of key.split(".")) at = at?.[part];
  if (typeof at !== "string") throw new Error(`no words for ${key}`);
  return at;
}

/** Whether a template has words of ours in it: rows have none, and are copied by the dozen. @type {WeakMap<HTMLTemplateElement, boolean>} */
const saying = new WeakMap();

/**
 * A copy of a template's one element, with its words put in.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function clone(id) {
  const template = document.getElementById(id);
  if (!(template instanceof HTMLTemplateElement)) throw new Error(`no template ${id}`);
  const first = template.content.firstElementChild;
  if (!(first instanceof HTMLElement)) throw new Error(`template ${id} is empty`);
  const root = /** @type {HTMLElement} */ (document.importNode(first, true));
  let says = saying.get(template);
  if (says === undefined) {
    says = SAID.some(([mark]) => root.hasAttribute(/** @type {string} */ (mark)) || root.querySelector(`[${mark}]`) !== null);
    saying.set(template, says);
  }
  if (says) putWords(root);
  return root;
}

const SAID = [
  ["data-say", null],
  ["data-say-label", "aria-label"],
  ["data-say-title", "title"],
  ["data-say-placeholder", "placeholder"],
];

/** @param {HTMLElement} root */
function putWords(root) {
  for (const [mark, attribute] of SAID) {
    const marked = [...root.querySelectorAll(`[${mark}]`)];
    if (root.hasAttribute(/** @type {string} */ (mark))) marked.push(root);
    for (const node of marked) {
      const said = sentence(node.getAttribute(/** @type {string} */ (mark)) ?? "");
      if (attribute) node.setAttribute(attribute, said);
      else node.textContent = said;
    }
  }
}

/**
 * The element of a template that carries `data-slot="name"`.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {HTMLElement}
 */
export function slot(root, name) {
  const found = root.querySelector(`[data-slot="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`no slot ${name}`);
  return found;
}

/**
 * The input of a template that carries `data-slot="name"`.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {HTMLInputElement}
 */
export function input(root, name) {
  const found = slot(root, name);
  if (!(found instanceof HTMLInputElement)) throw new Error(`slot ${name} is no input`);
  return found;
}

/**
 * The button of a template that carries `data-slot="name"`.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {HTMLButtonElement}
 */
export function button(root, name) {
  const found = slot(root, name);
  if (!(found instanceof HTMLButtonElement)) throw new Error(`slot ${name} is no button`);
  return found;
}

/**
 * Puts pieces into a parent in the place of what was there.
 * @param {ParentNode} parent
 * @param {...Piece} pieces
 */
export function put(parent, ...pieces) {
  parent.replaceChildren(...pieces.filter((piece) => piece !== null && piece !== undefined).map((piece) => /** @type {Node | string} */ (piece)));
}

/**
 * A small element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | null | undefined>} [attributes] `true` sets an empty one, `null` and `false` leave it out
 * @param {...Piece} pieces
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...pieces) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : value);
  }
  put(made, ...pieces);
  return made;
}

/**
 * A sentence with elements in the places marked `{so}`.
 * @param {string} said
 * @param {Record<string, Piece>} pieces
 * @returns {DocumentFragment}
 */
export function say(said, pieces) {
  const out = document.createDocumentFragment();
  for (const [at, part] of said.split(/\{(\w+)\}/).entries()) {
    if (at % 2 === 0) out.append(part);
    else out.append(pieces[part] ?? "");
  }
  return out;
}

/**
 * Several pieces as one.
 * @param {...Piece} pieces
 * @returns {DocumentFragment}
 */
export function group(...pieces) {
  const out = document.createDocumentFragment();
  put(out, ...pieces);
  return out;
}

let serial = 0;

/**
 * An id that no other element of this page has.
 * @param {string} stem
 */
export function unique(stem) {
  serial += 1;
  return `${stem}-${serial}`;
}

/**
 * Says something to those who listen rather than look.
 * @param {string} said
 */
export function announce(said) {
  const place = document.querySelector("dialog[open] > [role=status]") ?? document.getElementById("announce");
  if (!place) return;
  place.textContent = "";
  // Two turns apart: a live region speaks of a change, and the same sentence twice is none.
  setTimeout(() => { place.textContent = said; }, 60);
}
