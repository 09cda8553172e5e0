// A screen that is one plain list, and what any list says when it cannot be read: Activity is such a screen.

import { button, clone, el, put, say, slot } from "../lib/dom.js";
import { time } from "../lib/time.js";
import { words } from "../words/en.js";
import { tellRefusal } from "./outcome.js";
import { Rows } from "./rows.js";
import { paintTelling } from "./telling.js";

/** @typedef {import("../screens/frame.js").Frame} Frame */
/** @typedef {import("../bridge.js").AnyRefusal} AnyRefusal */

/**
 * @template R
 * @typedef {object} Plan
 * @property {string} key `data-test` of the screen is `screen-` and this
 * @property {string} title
 * @property {string} label
 * @property {string} columns a template
 * @property {string} template of a row
 * @property {(n: number) => string} summary
 * @property {{ title: string, next: string }} none
 * @property {(window: import("./rows.js").Window) => Promise<import("./rows.js").Page<R>>} fetch
 * @property {(row: R) => string} id
 * @property {(node: HTMLElement, row: R, index: number) => void} paint
 * @property {(row: R) => void} onOpen
 */

/**
 * @template R
 * @param {Frame} frame
 * @param {Plan<R>} plan
 * @returns {{ root: HTMLElement, rows: Rows<R>, enter: () => void }}
 */
export function browse(frame, plan) {
  const root = clone("t-browse");
  root.dataset.test = `screen-${plan.key}`;
  slot(root, "title").textContent = plan.title;
  const strip = slot(root, "strip");
  const summary = slot(root, "summary");
  const again = button(root, "again");
  put(slot(root, "columns"), clone(plan.columns));

  const retry = () => rows.load({ reread: true });

  /** @type {Rows<R>} */
  const rows = new Rows({
    label: plan.label,
    manner: "listbox",
    height: 50,
    template: plan.template,
    fetch: plan.fetch,
    id: plan.id,
    paint: plan.paint,
    onOpen: plan.onOpen,
    onPage: (page) => {
      slot(root, "columns").hidden = page.matching === 0;
      put(summary, plan.summary(page.total), " · ", say(words.lists.as_of, { at: time(page.read_at) }));
    },
    empty: () => el("div", { class: "blankness", "data-test": "empty" }, el("b", {}, plan.none.title), el("p", {}, plan.none.next)),
    refused: (refusal) => {
      put(summary);
      slot(root, "columns").hidden = true;
      return refusedPanel(frame, refusal, retry);
    },
    stale: (refusal, readAt) => stalePut(frame, strip, refusal, readAt, retry),
  });
  slot(root, "under").replaceWith(rows.root);

  again.addEventListener("click", async () => {
    again.disabled = true;
    again.textContent = words.lists.reading;
    await rows.load({ reread: true });
    again.disabled = false;
    again.textContent = words.lists.read_again;
    again.focus();
  });

  return {
    root,
    rows,
    enter: () => {
      rows.draw();
      if (rows.focus()) return;
      const act = rows.state.querySelector("button.solid:not(:disabled)") ?? rows.state.querySelector("button:not(:disabled)");
      if (act instanceof HTMLElement) act.focus();
      else slot(root, "title").focus();
    },
  };
}

/**
 * A refusal in the place of a list.
 * @param {Frame} frame
 * @param {AnyRefusal} refusal
 * @param {() => unknown} retry
 */
export function refusedPanel(frame, refusal, retry) {
  const { root } = paintTelling(tellRefusal(refusal, { session: frame.session, act: "read", retry, signIn: () => frame.signInAgain(null), readPolicy: () => frame.readPolicy().then(retry, () => retry()) }));
  root.setAttribute("role", "alert");
  root.dataset.test = "refused";
  root.dataset.refusal = refusal.kind;
  return root;
}

/**
 * One line above rows that could not be read again.
 * @param {Frame} frame
 * @param {HTMLElement} strip
 * @param {AnyRefusal | null} refusal
 * @param {string | null} readAt
 * @param {() => unknown} retry
 */
export function stalePut(frame, strip, refusal, readAt, retry) {
  strip.hidden = refusal === null;
  if (!refusal) {
    put(strip);
    return;
  }
  strip.dataset.test = "stale";
  strip.dataset.refusal = refusal.kind;
  const telling = tellRefusal(refusal, { session: frame.session, act: "read", retry, signIn: () => frame.signInAgain(null) });
  const more = el("button", { class: "lnk", type: "button", "data-test": "stale-details" }, words.grants.why_not);
  more.addEventListener("click", () => frame.tell(refusal, { act: "read", retry }));
  const acts = telling.acts.filter((act) => act.key === "retry" || act.key === "sign-in-again");
  const { root } = paintTelling({ ...telling, acts });
  const buttons = [...root.querySelectorAll(".acts .b")];
  for (const one of buttons) one.className = "b small";
  put(strip, el("span", {}, el("b", {}, telling.title), ". ", readAt ? say(words.lists.stale, { at: time(readAt) }) : null), more, ...buttons);
}
