// One design for whatever there is to tell: a mark, a title, a sentence, facts, notes, acts. Outcomes and refusals both
// become one of these, in a dialog or in the place of a list.

import { clone, el, put, slot } from "../lib/dom.js";
import { countdown, everySecond } from "../lib/time.js";
import { words } from "../words/en.js";
import { copyButton, copyFrom } from "./copy.js";

/** @typedef {import("../lib/dom.js").Piece} Piece */
/** @typedef {"gone" | "no" | "wait" | "trouble" | "note"} Mark */

/**
 * @typedef {object} Fact
 * @property {string} key `data-fact`
 * @property {string} label
 * @property {Piece} value
 * @property {string} [copy] a text that a small button beside the value copies
 */

/**
 * @typedef {object} Act
 * @property {string} key `data-test`
 * @property {string} label
 * @property {"solid" | "danger"} [style]
 * @property {boolean} [left] stands at the left
 * @property {string} [copies] the act only copies this
 * @property {string} [until] cannot be used before this time
 * @property {(button: HTMLButtonElement) => unknown} [run]
 */

/**
 * @typedef {object} Telling
 * @property {Record<string, string>} about data attributes of the host: `outcome` or `refusal` with its code
 * @property {Mark} mark
 * @property {string} title
 * @property {Piece} lead
 * @property {Fact[]} facts
 * @property {Piece[]} notes
 * @property {Fact[]} [record] what identifies it all, in quieter letters below
 * @property {Act[]} acts
 */

/**
 * The mark as an element's content.
 * @param {HTMLElement} place
 * @param {Mark} mark
 */
export function putMark(place, mark) {
  place.dataset.mark = mark;
  put(place, clone(`t-mark-${mark}`).firstElementChild);
}

/**
 * A fact's two cells.
 * @param {Fact} fact
 * @returns {HTMLElement[]}
 */
export function factCells(fact) {
  const value = el("dd", { "data-fact": fact.key }, el("span", { "data-value": true }, fact.value));
  if (fact.copy !== undefined) value.append(" ", copyButton(fact.copy, fact.label));
  return [el("dt", {}, fact.label), value];
}

/**
 * A yellow note.
 * @param {string} key
 * @param {...Piece} pieces
 */
export function note(key, ...pieces) {
  return el("p", { class: "note", "data-fact": key }, ...pieces);
}

/**
 * The telling as an element, and the button that Enter should press.
 * @param {Telling} telling
 * @returns {{ root: HTMLElement, first: HTMLButtonElement | null }}
 */
export function paintTelling(telling) {
  const root = clone("t-telling");
  putMark(slot(root, "mark"), telling.mark);
  slot(root, "title").textContent = telling.title;
  put(slot(root, "lead"), telling.lead);
  put(slot(root, "facts"), ...telling.facts.flatMap(factCells));
  put(slot(root, "notes"), ...telling.notes);
  const record = slot(root, "record");
  record.hidden = !telling.record;
  put(record, ...(telling.record ?? []).flatMap(factCells));
  /** @type {HTMLButtonElement | null} */
  let first = null;
  /** @type {HTMLElement[]} */
  const left = [];
  /** @type {HTMLElement[]} */
  const right = [];
  for (const act of telling.acts) {
    const button = el("button", { class: act.style ? `b ${act.style}` : "b", type: "button", "data-test": act.key }, act.label);
    if (act.copies !== undefined) {
      const text = act.copies;
      button.addEventListener("click", () => copyFrom(button, text));
    }
    if (act.run) {
      const run = act.run;
      button.addEventListener("click", () => run(button));
    }
    if (act.until) {
      const at = new Date(act.until).getTime();
      everySecond(button, () => {
        const left = at - Date.now();
        button.disabled = left > 0;
        button.textContent = left > 0 ? words.try_again_in(countdown(left)) : act.label;
      });
    }
    if (act.style === "solid") first = button;
    (act.left ? left : right).push(button);
  }
  // Two groups: when the acts need two lines, those at the right stay together, the one that Enter presses at the end.
  put(slot(root, "acts"), left.length > 0 ? el("span", { class: "side apart" }, ...left) : null, right.length > 0 ? el("span", { class: "side" }, ...right) : null);
  return { root, first };
}
