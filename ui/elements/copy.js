// A button that copies a text and says so. It holds the text itself and never reads the clipboard.

import { announce, el } from "../lib/dom.js";
import { words } from "../words/en.js";

/**
 * Puts a text on the clipboard.
 * @param {string} text
 * @returns {Promise<boolean>} whether it is there
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission, or a web view without that interface: the older way needs a focused selection in the page.
    const back = document.activeElement;
    const place = el("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1", readonly: true });
    place.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(place);
    place.select();
    let worked = false;
    try { worked = document.execCommand("copy"); } catch { worked = false; }
    place.remove();
    if (back instanceof HTMLElement) back.focus({ preventScroll: true });
    return worked;
  }
}

/**
 * Copies, and lets the button say for two seconds what came of it.
 * @param {HTMLButtonElement} button
 * @param {string} text
 */
export async function copyFrom(button, text) {
  const label = button.dataset.label ?? button.textContent ?? "";
  button.dataset.label = label;
  const worked = await copyText(text);
  const said = worked ? words.copied : words.copy_failed;
  // The shorter word must not move what stands beside it.
  if (worked) button.style.minWidth = `${button.offsetWidth}px`;
  button.textContent = said;
  announce(said);
  setTimeout(() => { button.textContent = label; }, 2000);
}

/**
 * A small copy button.
 * @param {string} text what is copied
 * @param {string} what what it is, for those who do not see what stands before it
 */
export function copyButton(text, what) {
  const made = el("button", { class: "lnk copy", type: "button", "aria-label": words.copy_label(what), "data-test": "copy" }, words.copy);
  made.addEventListener("click", () => copyFrom(made, text));
  return made;
}
