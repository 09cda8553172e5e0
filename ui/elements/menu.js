// Small menus under a button, by the browser's own popover: it closes on Esc and on a click elsewhere, and gives the focus back.

import { el, put } from "../lib/dom.js";

/**
 * Puts a popover under its button, inside the window.
 * @param {HTMLElement} button
 * @param {HTMLElement} pop
 * @param {"start" | "end"} edge of the button that it lines up with
 */
export function place(button, pop, edge) {
  const at = button.getBoundingClientRect();
  const wide = pop.offsetWidth;
  const left = edge === "start" ? at.left : at.right - wide;
  pop.style.left = `${Math.max(8, Math.min(window.innerWidth - wide - 8, left))}px`;
  const below = window.innerHeight - at.bottom - 12;
  const above = at.top - 12;
  const up = pop.scrollHeight > below && above > below;
  pop.style.maxHeight = `${Math.max(120, up ? above : below)}px`;
  pop.style.top = up ? "auto" : `${at.bottom + 4}px`;
  pop.style.bottom = up ? `${window.innerHeight - at.top + 4}px` : "auto";
}

/**
 * Binds a popover to its button.
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} pop
 * @param {{ edge?: "start" | "end", fill?: () => unknown }} [how] `fill` is called before it is shown
 */
export function bind(button, pop, how = {}) {
  button.setAttribute("aria-haspopup", pop.getAttribute("role") === "menu" ? "menu" : "dialog");
  button.setAttribute("aria-expanded", "false");
  /** @type {any} */ (button).popoverTargetElement = pop;
  const again = () => place(button, pop, how.edge ?? "start");
  pop.addEventListener("beforetoggle", (event) => { if (/** @type {any} */ (event).newState === "open") how.fill?.(); });
  pop.addEventListener("toggle", (event) => {
    const open = /** @type {any} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (!open) {
      window.removeEventListener("resize", again);
      return;
    }
    window.addEventListener("resize", again);
    again();
    const first = pop.querySelector("button:not(:disabled), input:not(:disabled), select");
    if (first instanceof HTMLElement) first.focus();
  });
}

/**
 * @typedef {object} Item
 * @property {string} key `data-test`
 * @property {string} label
 * @property {string} [note]
 * @property {() => unknown} run
 */

/**
 * A menu of acts: arrows move, Enter chooses.
 * @param {HTMLButtonElement} button
 * @param {string} label
 * @param {() => Item[]} items asked each time it opens
 * @param {"start" | "end"} [edge]
 * @returns {HTMLElement} to be put beside the button
 */
export function menu(button, label, items, edge = "end") {
  const pop = el("div", { class: "pop menu", popover: "auto", role: "menu", "aria-label": label });
  bind(button, pop, {
    edge,
    fill: () => {
      put(pop, ...items().map((item) => {
        const made = el("button", { type: "button", role: "menuitem", "data-test": item.key }, el("span", {}, item.label), item.note ? el("small", {}, item.note) : null);
        made.addEventListener("click", () => {
          pop.hidePopover();
          item.run();
        });
        return made;
      }));
    },
  });
  pop.addEventListener("keydown", (event) => {
    const all = [...pop.querySelectorAll("button")];
    const at = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  });
  return pop;
}
