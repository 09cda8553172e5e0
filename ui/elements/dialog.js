// The one dialog of the page. Its content changes in place (confirmation, steps, outcome), so that nothing jumps between them;
// focus goes back to where it came from when it closes.

import { el, unique } from "../lib/dom.js";

/**
 * @typedef {object} Dialog
 * @property {HTMLDialogElement} root
 * @property {(content: HTMLElement, about?: Record<string, string>, focus?: HTMLElement | null) => void} show puts content in; `about` becomes data attributes
 * @property {(locked: boolean) => void} lock while locked, Esc does nothing: what runs cannot be called back
 * @property {(focusBack?: HTMLElement | null) => void} close
 * @property {() => boolean} open
 * @property {Promise<void>} closed settles when it has closed
 */

/** @type {Dialog | null} */
let current = null;

/** The dialog that is open, if one is. */
export function openedDialog() {
  return current;
}

/**
 * Opens a dialog. One that is open is closed first: two on top of each other are never asked for.
 * @param {{ onClose?: () => void }} [how]
 * @returns {Dialog}
 */
export function openDialog(how = {}) {
  const came = current ? null : document.activeElement;
  const origin = came instanceof HTMLElement && came !== document.body ? came : null;
  current?.close(null);
  // What is announced while it is open must be inside: everything outside a modal dialog is inert, and stays unheard.
  const live = el("div", { class: "unseen", role: "status", "aria-live": "polite" });
  const body = el("div");
  const root = el("dialog", { "data-test": "dialog", tabindex: "-1" }, body, live);
  let locked = false;
  let isOpen = true;
  /** @type {() => void} */
  let settle = () => {};
  /** @type {Promise<void>} */
  const closed = new Promise((resolve) => { settle = resolve; });
  /** @type {Set<string>} */
  let marks = new Set();

  root.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (!locked) dialog.close();
  });
  // Browsers let a second Esc through whatever `cancel` says; the key itself is stopped before that.
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (!locked) dialog.close();
  });

  /** @type {Dialog} */
  const dialog = {
    root,
    closed,
    open: () => isOpen,
    lock: (on) => { locked = on; },
    show: (content, about = {}, focus = null) => {
      for (const mark of marks) delete root.dataset[mark];
      marks = new Set(Object.keys(about));
      for (const [name, value] of Object.entries(about)) root.dataset[name] = value;
      body.replaceChildren(content);
      const heading = content.querySelector("h2");
      if (heading) {
        heading.id ||= unique("title");
        root.setAttribute("aria-labelledby", heading.id);
      }
      const lead = content.querySelector("p");
      if (lead) {
        lead.id ||= unique("lead");
        root.setAttribute("aria-describedby", lead.id);
      }
      if (!root.open) root.showModal();
      root.scrollTop = 0;
      // Once it is open, a new content is heard only through what the focus moves to.
      const described = [heading === focus ? "" : heading?.id, lead?.id].filter((id) => id).join(" ");
      if (focus && described !== "") focus.setAttribute("aria-describedby", described);
      (focus ?? root).focus({ preventScroll: true });
    },
    close: (focusBack) => {
      if (!isOpen) return;
      isOpen = false;
      if (root.open) root.close();
      root.remove();
      if (current === dialog) current = null;
      const back = focusBack === undefined ? origin : focusBack;
      // A button that was drawn anew meanwhile is another element of the same name.
      const again = back && !back.isConnected && back.dataset.test ? document.querySelector(`[data-test="${back.dataset.test}"]`) : back;
      if (again instanceof HTMLElement && again.isConnected) again.focus();
      how.onClose?.();
      settle();
    },
  };
  current = dialog;
  document.body.append(root);
  return dialog;
}
