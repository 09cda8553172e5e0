// A screen that is a list with a filter, and the detail of one row beside it. Apps, members and activity are each one of these.

import { clone, el, input, put, say, slot, button, announce } from "../lib/dom.js";
import { everySecond, span, time } from "../lib/time.js";
import { named } from "../lib/text.js";
import { words } from "../words/en.js";
import { tellRefusal } from "./outcome.js";
import { Rows } from "./rows.js";
import { paintTelling } from "./telling.js";

/** @typedef {import("../screens/frame.js").Frame} Frame */
/** @typedef {import("../bridge.js").AnyRefusal} AnyRefusal */

/** A list older than this says so. */
const OLD = 10 * 60_000;
/** Milliseconds of rest in typing before the filter is asked for. */
const REST = 110;

/**
 * @template R
 * @typedef {object} Screen
 * @property {HTMLElement} root
 * @property {Rows<R>} rows
 * @property {HTMLElement} detail where the detail goes
 * @property {HTMLInputElement} filter
 * @property {(node: HTMLElement | null) => void} show puts a detail in, or takes it away
 * @property {() => void} enter called when the screen has come into view
 * @property {(on: boolean) => void} bar takes away what only a list needs, where there will be none
 */

/**
 * @template R
 * @typedef {object} Plan
 * @property {string} key `data-test` of the screen is `screen-` and this
 * @property {string} title
 * @property {string} label
 * @property {string | null} filter the placeholder; `null`: no filter
 * @property {string} columns a template
 * @property {string} template of a row
 * @property {(n: number) => string} summary
 * @property {string | null} pick what stands in the detail when nothing is chosen; `null`: there is no detail
 * @property {{ title: string, next: string }} none
 * @property {(window: import("../contract.js").Window) => Promise<import("./rows.js").Page<R>>} fetch
 * @property {(row: R) => string} id
 * @property {(node: HTMLElement, row: R, index: number) => void} paint
 * @property {(row: R) => void} onOpen
 * @property {(refusal: AnyRefusal, retry: () => void) => Node} [refused] another telling than the usual
 * @property {(page: import("./rows.js").Page<R>) => void} [onPage]
 */

/**
 * @template R
 * @param {Frame} frame
 * @param {Plan<R>} plan
 * @returns {Screen<R>}
 */
export function browse(frame, plan) {
  const root = clone("t-browse");
  root.dataset.test = `screen-${plan.key}`;
  slot(root, "title").textContent = plan.title;
  const filter = input(root, "filter");
  const strip = slot(root, "strip");
  const detail = slot(root, "detail");
  const broken = button(root, "unreadable");
  const matching = slot(root, "matching");
  const summary = slot(root, "summary");
  const again = button(root, "again");
  put(slot(root, "columns"), clone(plan.columns));
  if (plan.filter === null) slot(root, "filters").hidden = true;
  else {
    filter.placeholder = plan.filter;
    filter.setAttribute("aria-label", plan.filter);
  }

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
      bar(false);
      slot(root, "columns").hidden = page.matching === 0;
      put(summary, plan.summary(page.total), " · ", say(words.lists.as_of, { at: time(page.read_at) }), age(page.read_at));
      matching.textContent = rows.filter === "" ? "" : words.lists.matching(page.matching, page.total);
      if (rows.filter !== "") announce(words.lists.matching(page.matching, page.total));
      broken.hidden = page.unreadable.length === 0;
      broken.textContent = words.lists.unreadable(page.unreadable.length);
      plan.onPage?.(page);
    },
    empty: (page, words_of_filter) => emptiness(page.total, words_of_filter),
    refused: (refusal) => {
      put(summary);
      slot(root, "columns").hidden = true;
      const telling = plan.refused?.(refusal, retry);
      if (telling) return telling;
      return refusedPanel(frame, refusal, retry);
    },
    stale: (refusal, readAt) => stalePut(frame, strip, refusal, readAt, retry),
  });
  slot(root, "under").replaceWith(rows.root);

  /** @param {boolean} on */
  function bar(on) {
    slot(root, "filters").hidden = on || plan.filter === null;
    slot(root, "columns").hidden = on;
    again.hidden = on;
  }

  /** @param {string} at */
  function age(at) {
    return everySecond(el("span", { class: "warn" }), (node) => {
      const ms = Date.now() - new Date(at).getTime();
      node.textContent = ms > OLD ? ` · ${words.lists.old(span(ms))}` : "";
    });
  }

  /** @param {number} total @param {string} filtered */
  function emptiness(total, filtered) {
    const out = el("div", { class: "blankness", "data-test": "empty" });
    if (filtered !== "" && total > 0) {
      const clear = el("button", { class: "b", type: "button", "data-test": "clear-filter" }, words.lists.clear);
      clear.addEventListener("click", () => { filter.value = ""; rows.load({ filter: "" }); filter.focus(); });
      put(out, el("b", {}, say(words.lists.no_match, { filter: named(filtered, { limit: 80 }) })), el("p", {}, words.lists.no_match_next), el("div", { class: "acts" }, clear));
    } else {
      put(out, el("b", {}, plan.none.title), el("p", {}, plan.none.next));
    }
    return out;
  }

  let resting = 0;
  filter.addEventListener("input", () => {
    clearTimeout(resting);
    resting = window.setTimeout(() => rows.load({ filter: filter.value.trim() }), REST);
  });
  filter.addEventListener("keydown", async (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      rows.focus();
    } else if (event.key === "Enter") {
      event.preventDefault();
      // Whoever types fast and presses Enter means the rows of what was typed, not those of a moment before.
      clearTimeout(resting);
      if (filter.value.trim() !== rows.filter) await rows.load({ filter: filter.value.trim() });
      rows.open(0);
    } else if (event.key === "Escape" && filter.value !== "") {
      event.preventDefault();
      event.stopPropagation();
      filter.value = "";
      rows.load({ filter: "" });
    }
  });
  again.addEventListener("click", async () => {
    again.disabled = true;
    again.textContent = words.lists.reading;
    await rows.load({ reread: true });
    again.disabled = false;
    again.textContent = words.lists.read_again;
    again.focus();
  });
  broken.addEventListener("click", () => {
    rows.focus();
    rows.moveTo(rows.length - 1);
  });
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing && plan.filter !== null) {
      event.preventDefault();
      filter.focus();
      filter.select();
    } else if (event.key.toLowerCase() === "r" && !typing) {
      event.preventDefault();
      rows.load({ reread: true });
    } else if (event.key === "Escape" && root.dataset.open !== undefined && !event.defaultPrevented) {
      event.preventDefault();
      show(null);
    }
  });

  /** @param {HTMLElement | null} node */
  function show(node) {
    if (node) {
      root.dataset.open = "";
      put(detail, node);
      return;
    }
    const had = root.dataset.open !== undefined;
    delete root.dataset.open;
    rows.pick(null);
    if (plan.pick !== null) {
      const pick = clone("t-pick");
      slot(pick, "text").textContent = plan.pick;
      put(detail, pick);
    }
    if (had && !rows.focus()) instead();
  }

  /** Where the keyboard goes when there is no row to go to. */
  function instead() {
    const act = rows.state.querySelector("button.solid:not(:disabled)") ?? rows.state.querySelector("button:not(:disabled)");
    if (!slot(root, "filters").hidden) filter.focus();
    else if (act instanceof HTMLElement) act.focus();
    else slot(root, "title").focus();
  }

  if (plan.pick === null) {
    detail.remove();
    root.classList.add("alone");
  } else show(null);

  return {
    root,
    rows,
    detail,
    filter,
    show,
    bar,
    enter: () => {
      rows.draw();
      if (root.dataset.open !== undefined) return;
      if (!slot(root, "filters").hidden) filter.focus();
      else if (!rows.focus()) instead();
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
