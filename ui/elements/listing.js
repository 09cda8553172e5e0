// A table of the inventory in its pane: rows by window, sorted by its heads, selected by rule, filtered by what the screens share.

import { ask, refusalOf } from "../bridge.js";
import { announce, clone, el, put, say } from "../lib/dom.js";
import { filterKey } from "../lib/inventory.js";
import { named } from "../lib/text.js";
import { words } from "../words/en.js";
import { refusedPanel } from "./browse.js";
import { filterSentence } from "./filters.js";
import { pane } from "./pane.js";
import { Rows } from "./rows.js";

/** @typedef {import("../screens/frame.js").Frame} Frame */
/** @typedef {import("../lib/choice.js").Choice} Choice */
/** @typedef {import("../contract.js").InventoryQuery} InventoryQuery */
/** @typedef {import("../contract.js").SortKey} SortKey */
/** @typedef {import("../contract.js").Filter} Filter */
/** @typedef {import("../contract.js").Noun} Noun */

/**
 * @template R
 * @typedef {import("./rows.js").Page<R> & { grants_matching?: number, grants?: number }} Window
 */

/**
 * @template R
 * @typedef {object} TablePlan
 * @property {Noun} noun
 * @property {boolean} fold
 * @property {string} label
 * @property {string} head a template: a row of column headers, whose buttons carry `data-sort`
 * @property {string} row a template
 * @property {number} height of a row, in CSS pixels
 * @property {SortKey} sort to begin with
 * @property {boolean} descending to begin with
 * @property {Choice} choice
 * @property {(query: InventoryQuery) => Promise<Window<R>>} fetch
 * @property {(row: R) => string} id
 * @property {(node: HTMLElement, row: R, index: number) => void} paint
 * @property {(row: R) => void} open
 * @property {(page: Window<R>) => void} onPage
 * @property {() => { title: string, next: string }} none what is said where nothing is and nothing is filtered
 * @property {() => void} picked called when what is selected has changed
 */

/**
 * The query in the key of a list.
 * @param {string} key
 * @param {{ sort: SortKey, descending: boolean }} first
 * @returns {{ filter: Filter, sort: SortKey, descending: boolean }}
 */
const ofKey = (key, first) => (key === "" ? { filter: {}, ...first } : JSON.parse(key));

/**
 * A table by itself, for a pane to hold.
 * @template R
 * @param {Frame} frame
 * @param {TablePlan<R>} plan
 */
export function table(frame, plan) {
  const { inventory } = frame;
  const { choice } = plan;
  const first = { sort: plan.sort, descending: plan.descending };
  let { sort, descending } = first;
  const head = clone(plan.head);

  /** What the list shows, as a text: the same question is the same text. */
  const key = () => (filterKey(inventory.filter) === "" && sort === first.sort && descending === first.descending ? "" : JSON.stringify({ filter: inventory.filter, sort, descending }));

  /** @param {string} of @returns {InventoryQuery} */
  const query = (of) => ({ ...ofKey(of, first), fold: plan.fold, offset: 0, count: 1000 });

  /** @type {Rows<R>} */
  const rows = new Rows({
    label: plan.label,
    manner: "grid",
    head,
    height: plan.height,
    template: plan.row,
    fetch: async (window) => {
      const page = await plan.fetch({ ...query(window.filter), offset: window.offset, count: window.count });
      await choice.learn(page.rows.map(plan.id), ofKey(window.filter, first).filter);
      return page;
    },
    id: plan.id,
    paint: plan.paint,
    onOpen: plan.open,
    whole: (of) => filterKey(ofKey(of, first).filter) === "",
    select: { has: (id) => choice.has(id, inventory.filter), toggle, all },
    onPage: (page) => {
      drawHead();
      plan.onPage(page);
    },
    empty: (page, of) => emptiness(page.total, ofKey(of, first).filter),
    refused: (refusal) => refusedPanel(frame, refusal, () => (refusal.kind === "nothing_read" ? inventory.read() : rows.load())),
    stale: () => {},
  });

  /** @param {number} total @param {Filter} filter */
  function emptiness(total, filter) {
    const out = el("div", { class: "blankness", "data-test": "empty" });
    if (filterKey(filter) !== "" && total > 0) {
      const clear = el("button", { class: "b", type: "button", "data-test": "clear-filter" }, words.lists.clear);
      clear.addEventListener("click", () => {
        inventory.setFilter({});
        out.closest(".browse")?.querySelector("input")?.focus();
      });
      put(out, el("b", {}, say(words.lists.no_match_filter, { filter: named(filterSentence(filter), { limit: 160 }) })), el("p", {}, words.lists.no_match_all), el("div", { class: "acts" }, clear));
    } else {
      const none = plan.none();
      put(out, el("b", {}, none.title), el("p", {}, none.next));
    }
    return out;
  }

  function drawHead() {
    for (const one of head.querySelectorAll("[data-sort]")) {
      const here = /** @type {HTMLElement} */ (one).dataset.sort === sort;
      const cell = one.closest("[role=columnheader]");
      if (here) cell?.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else if (!cell?.querySelector(`[data-sort="${sort}"]`)) cell?.removeAttribute("aria-sort");
      one.classList.toggle("sorted", here);
      one.classList.toggle("down", here && descending);
    }
    const box = head.querySelector("[data-test=select-all]");
    const state = choice.state(inventory.filter);
    box?.setAttribute("aria-checked", state === "some" ? "mixed" : String(state === "all"));
  }

  for (const one of head.querySelectorAll("[data-sort]")) {
    one.addEventListener("click", () => {
      const by = /** @type {SortKey} */ (/** @type {HTMLElement} */ (one).dataset.sort);
      // The many, the wide and the new are looked for first; names begin at A.
      if (by === sort) descending = !descending;
      else {
        sort = by;
        descending = ["grants", "width", "first_seen"].includes(by);
      }
      drawHead();
      announce(words.inventory.sorted(one.textContent ?? "", descending));
      load();
    });
  }
  head.querySelector("[data-test=select-all]")?.addEventListener("click", all);

  /** @param {string} id */
  function toggle(id) {
    if (!choice.toggle(id, inventory.filter)) announce(words.selection.other_filter);
    chosen();
  }

  function all() {
    if (choice.state(inventory.filter) === "all") choice.clear();
    else choice.all(inventory.filter);
    chosen();
  }

  function chosen() {
    rows.reselect();
    drawHead();
    plan.picked();
  }

  function load() {
    return rows.load({ filter: key() });
  }

  drawHead();
  return {
    rows,
    load,
    chosen,
    key,
    query: () => query(key()),
    /** Takes the sort of another list that shows the same. */
    sorted: () => ({ sort, descending }),
  };
}

/**
 * What is selected, counted by the shell each time that it or the picture changes.
 * @param {Frame} frame
 * @param {Choice} choice
 * @param {(count: import("../contract.js").SelectionCount | null) => void} show
 */
export function counter(frame, choice, show) {
  let turn = 0;
  /** @type {import("../contract.js").SelectionCount | null} */
  let last = null;
  return async () => {
    const mine = ++turn;
    if (!choice.rule) {
      last = null;
      show(null);
      return;
    }
    show(last);
    try {
      const count = await ask("inventory_selection", { selection: choice.rule });
      if (mine !== turn) return;
      last = count;
      show(count);
      announce(words.selection.count(choice.noun, count));
    } catch (thrown) {
      if (mine === turn) frame.tell(refusalOf(thrown), { act: "read" });
    }
  };
}

/**
 * @template R
 * @typedef {object} Plan
 * @property {"apps" | "members"} key
 * @property {string} title
 * @property {string} placeholder
 * @property {(m: number, t: number) => string} matching
 * @property {(node: HTMLElement) => Node | null} [instead] what stands in the place of the rows, when something does
 */

/**
 * A screen that is a table of the inventory, with the detail of one row beside it.
 * @template R
 * @param {Frame} frame
 * @param {Plan<R> & Omit<TablePlan<R>, "onPage" | "picked" | "choice" | "noun"> & { onPage?: (page: Window<R>) => void }} plan
 */
export function listing(frame, plan) {
  const { inventory } = frame;
  const choice = frame.choices[plan.key];
  let dirty = true;
  let pending = Promise.resolve();

  const made = pane(frame, {
    key: plan.key,
    title: plan.title,
    placeholder: plan.placeholder,
    what: () => ({ noun: plan.key, query: list.query(), format: "csv" }),
    down: () => list.rows.focus(),
    first: async () => {
      await pending;
      list.rows.open(0);
    },
  });
  const count = counter(frame, choice, (counted) => made.picked({ choice, count: counted, of: choice.rule?.all ? allOf() : "", clear: () => { choice.clear(); list.chosen(); if (!list.rows.focus()) made.filter.focus(); } }));

  /** What an all-rule means, when the list shows something else. */
  function allOf() {
    const of = choice.rule?.filter ?? {};
    if (filterKey(of) === filterKey(inventory.filter)) return "";
    return filterKey(of) === "" ? words.selection.of_all : words.selection.of_filter.replace("{filter}", () => filterSentence(of));
  }

  const list = table(frame, {
    ...plan,
    noun: plan.key,
    choice,
    picked: count,
    onPage: (page) => {
      const filtered = filterKey(inventory.filter) !== "";
      made.matching.textContent = filtered ? `${plan.matching(page.matching, page.total)} · ${words.inventory.grants_matching(page.grants_matching ?? 0, page.grants ?? 0)}` : "";
      if (filtered && said !== made.matching.textContent) announce(made.matching.textContent);
      said = made.matching.textContent;
      made.unreadable.hidden = page.unreadable.length === 0;
      made.unreadable.textContent = words.lists.unreadable(page.unreadable.length);
      plan.onPage?.(page);
    },
  });
  let said = "";
  made.under.replaceWith(list.rows.root);
  made.unreadable.addEventListener("click", () => {
    inventory.setFilter({});
    pending.then(() => {
      list.rows.focus();
      list.rows.moveTo(list.rows.length - 1);
    });
  });

  function load() {
    made.draw();
    const node = plan.instead?.(list.rows.state) ?? nothingYet(frame, list.rows);
    if (node) {
      list.rows.page = null;
      list.rows.turn += 1;
      if (!same(list.rows.state.firstElementChild, node)) list.rows.instead(node);
      dirty = true;
      return;
    }
    dirty = false;
    pending = list.load();
    if (choice.rule) count();
  }

  return {
    ...made,
    table: list,
    /** The page that the last question brought is there. */
    settled: () => pending,
    load,
    /** @param {import("../lib/inventory.js").What} what @param {boolean} inSight */
    changed: (what, inSight) => {
      if (what === "reading") {
        made.draw();
        if (inventory.picture === null && inSight) load();
        return;
      }
      if (what === "picture") choice.known.clear();
      if (inSight) load();
      else dirty = true;
    },
    enter: () => {
      made.draw();
      if (dirty) load();
      else list.rows.draw();
    },
  };
}

/** @param {Element | null} a @param {Node} b */
const same = (a, b) => a instanceof HTMLElement && b instanceof HTMLElement && a.dataset.test === b.dataset.test && a.dataset.same !== undefined && a.dataset.same === b.dataset.same;

/**
 * What stands in the place of rows before anything was read: that it is being read, why it could not be, or how to begin.
 * @param {Frame} frame
 * @param {Rows<any>} rows
 * @returns {HTMLElement | null}
 */
export function nothingYet(frame, rows) {
  const { inventory } = frame;
  if (inventory.picture) return null;
  if (inventory.reading) {
    const had = rows.state.querySelector("[data-test=first-reading]");
    const out = had instanceof HTMLElement ? had : clone("t-first-reading");
    const { reading } = inventory;
    const said = reading.calls_expected === null ? words.inventory.first_list : words.inventory.first_counts(reading.apps_done, reading.apps ?? 0, reading.members, reading.grants);
    const place = /** @type {HTMLElement} */ (out.querySelector("[data-slot=counts]"));
    if (place.textContent !== said) place.textContent = said;
    out.dataset.same = "reading";
    return out;
  }
  if (inventory.trouble) {
    const panel = refusedPanel(frame, inventory.trouble, () => inventory.read());
    panel.dataset.same = JSON.stringify(inventory.trouble);
    return panel;
  }
  if (inventory.status === null) {
    const wait = clone("t-skeleton");
    wait.dataset.same = "wait";
    return wait;
  }
  const out = el("div", { class: "blankness", "data-test": "empty", "data-same": "nothing" }, el("b", {}, words.inventory.nothing), el("p", {}, words.inventory.nothing_next));
  if (frame.session) {
    const go = el("button", { class: "b solid", type: "button", "data-test": "read-first" }, words.inventory.read_now);
    go.addEventListener("click", () => inventory.read());
    out.append(el("div", { class: "acts" }, go));
  }
  return out;
}
