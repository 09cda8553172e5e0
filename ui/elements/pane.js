// What Apps, Members and Map have in common: the head that says what was read and when, the reading under way, what is missing,
// what is new, the filter, the export, and the detail beside it all.

import { ask, refusalOf } from "../bridge.js";
import { announce, button, clone, el, input, put, say, slot } from "../lib/dom.js";
import { OLD } from "../lib/inventory.js";
import { idTail, named, visible } from "../lib/text.js";
import { clock, everySecond, span, time, until } from "../lib/time.js";
import { words } from "../words/en.js";
import { copyText } from "./copy.js";
import { stalePut } from "./browse.js";
import { openDialog } from "./dialog.js";
import { filters } from "./filters.js";
import { menu } from "./menu.js";

/** @typedef {import("../screens/frame.js").Frame} Frame */
/** @typedef {import("../contract.js").ExportWhat} ExportWhat */
/** @typedef {import("../contract.js").Missing} Missing */
/** @typedef {import("../lib/choice.js").Choice} Choice */

/** Milliseconds of rest in typing before the filter is asked for. */
const REST = 110;

/**
 * @typedef {object} Pane
 * @property {HTMLElement} root
 * @property {HTMLElement} under where the content goes
 * @property {HTMLInputElement} filter
 * @property {HTMLElement} matching
 * @property {HTMLButtonElement} unreadable
 * @property {HTMLElement} strips
 * @property {() => void} draw draws the head anew
 * @property {(node: HTMLElement | null) => boolean} show puts a detail in, or takes it away; whether one was there
 * @property {() => boolean} opened
 * @property {() => void} typed applies what has been typed, at once
 * @property {(on: boolean) => void} quiet takes away what only a list needs
 * @property {(plan: Picked) => void} picked shows what is selected
 */

/**
 * @typedef {object} PanePlan
 * @property {string} key
 * @property {string} title
 * @property {string} placeholder
 * @property {() => ExportWhat} what an export takes
 * @property {() => unknown} down the keyboard goes from the filter to the content
 * @property {() => unknown} first Enter in the filter
 */

/** @typedef {{ choice: Choice, count: import("../contract.js").SelectionCount | null, of: string, clear: () => void }} Picked */

/**
 * @param {Frame} frame
 * @param {PanePlan} plan
 * @returns {Pane}
 */
export function pane(frame, plan) {
  const { inventory } = frame;
  const root = clone("t-inventory");
  root.dataset.test = `screen-${plan.key}`;
  slot(root, "title").textContent = plan.title;
  const filter = input(root, "filter");
  filter.placeholder = plan.placeholder;
  filter.setAttribute("aria-label", plan.placeholder);
  const summary = slot(root, "summary");
  const strips = slot(root, "strips");
  const detail = slot(root, "detail");
  const again = button(root, "again");
  const stop = button(root, "stop");
  const progress = slot(root, "progress");
  const bar = slot(root, "picked");

  // ---- the filter
  const chosen = filters(inventory, () => filter);
  slot(root, "menu").replaceWith(chosen.button);
  slot(root, "chips").replaceWith(chosen.chips);
  let resting = 0;
  const typed = () => {
    clearTimeout(resting);
    inventory.setFilter({ ...inventory.filter, text: filter.value.trim() });
  };
  filter.addEventListener("input", () => {
    clearTimeout(resting);
    resting = window.setTimeout(typed, REST);
  });
  filter.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      plan.down();
    } else if (event.key === "Enter") {
      event.preventDefault();
      // Whoever types fast and presses Enter means the rows of what was typed, not those of a moment before.
      typed();
      plan.first();
    } else if (event.key === "Escape" && filter.value !== "") {
      event.preventDefault();
      event.stopPropagation();
      filter.value = "";
      typed();
    }
  });

  // ---- the acts of the head
  const history = button(root, "history");
  history.addEventListener("click", () => frame.openHistory());
  again.addEventListener("click", async () => {
    again.dataset.held = "";
    await inventory.read();
    delete again.dataset.held;
    if (document.activeElement === document.body || document.activeElement === stop) again.focus();
  });
  stop.addEventListener("click", async () => {
    stop.disabled = true;
    await inventory.cancel();
    stop.disabled = false;
  });
  const out = button(root, "export");
  const exports = menu(out, words.exporting.title, () => exportItems(() => plan.what()));
  root.append(exports, chosen.pop);

  /** @param {() => ExportWhat} what */
  function exportItems(what) {
    return [
      { key: "export-csv", label: words.exporting.csv, note: words.exporting.csv_note, run: () => exportIt({ ...what(), format: "csv" }) },
      { key: "export-json", label: words.exporting.json, note: words.exporting.json_note, run: () => exportIt({ ...what(), format: "json" }) },
      { key: "export-copy", label: words.exporting.copy, note: words.exporting.copy_note, run: () => copyIt({ ...what(), format: "csv" }) },
    ];
  }

  /** What the last export or copy came to, until it is put away. @type {Node[] | null} */
  let said = null;

  /** @param {ExportWhat} what */
  async function exportIt(what) {
    try {
      const done = await ask("inventory_export", { what });
      said = writtenTo(done, words.exporting.incomplete);
      announce(words.exporting.done_heard(done.rows));
      draw();
    } catch (thrown) {
      frame.tell(refusalOf(thrown), { act: "read", retry: () => exportIt(what) });
    }
  }

  /** @param {ExportWhat} what */
  async function copyIt(what) {
    try {
      const copied = await ask("inventory_copy", { what });
      const worked = await copyText(copied.text);
      said = worked ? [words.exporting.copied(copied.rows), ...(copied.left_out > 0 ? [el("b", {}, ` ${words.exporting.left_out(copied.left_out)}`)] : [])] .map((one) => (typeof one === "string" ? document.createTextNode(one) : one)) : [document.createTextNode(words.copy_failed)];
      announce(said.map((one) => one.textContent).join(""));
      draw();
    } catch (thrown) {
      frame.tell(refusalOf(thrown), { act: "read", retry: () => copyIt(what) });
    }
  }

  // ---- what the head says
  const stale = el("div", { class: "strip", role: "status", hidden: true });
  const waiting = el("div", { class: "strip", role: "status", "data-test": "waiting", "data-refusal": "rate_limited", hidden: true });
  const partial = el("div", { class: "strip", "data-test": "partial", hidden: true });
  const changes = el("div", { class: "strip plain", "data-test": "changes", hidden: true });
  const saying = el("div", { class: "strip plain", role: "status", "data-test": "said", hidden: true });
  put(strips, stale, waiting, partial, changes, saying);

  const age = everySecond(el("span", { class: "warn" }), drawAge);
  /** @param {HTMLElement} node */
  function drawAge(node) {
    const picture = inventory.picture;
    const ms = picture ? Date.now() - new Date(picture.read_at).getTime() : 0;
    node.textContent = picture && picture.source !== "under_way" && ms > OLD ? ` · ${words.inventory.ago(span(ms))}` : "";
  }

  function draw() {
    const { picture, reading } = inventory;
    // The line of facts.
    if (reading) {
      // While the server has it wait, how fast the calls were says nothing of what is left.
      const left = reading.left_ms === null || reading.waiting_until !== null ? "" : ` · ${words.inventory.left(span(reading.left_ms))}`;
      put(summary, reading.calls_expected === null ? words.inventory.reading_list : words.inventory.reading(reading.apps_done, reading.apps ?? 0, reading.calls, reading.calls_expected), left);
    } else if (picture) {
      put(
        summary,
        words.inventory.grants(picture.grants),
        " · ",
        say(picture.source === "kept" ? words.inventory.kept : words.inventory.read, { at: time(picture.read_at, picture.source === "kept" ? { seconds: false } : {}) }),
        ", ",
        picture.apps_read === picture.apps ? words.inventory.of_apps(picture.apps_read, picture.apps) : el("span", { class: "warn" }, words.inventory.of_apps(picture.apps_read, picture.apps)),
        age,
      );
      drawAge(age);
    } else put(summary);
    // How far a reading is.
    progress.hidden = !reading;
    const expected = reading?.calls_expected ?? null;
    const share = reading && expected ? Math.min(1, reading.calls / Math.max(1, expected)) : 0;
    progress.classList.toggle("unsure", expected === null);
    slot(progress, "fill").style.width = `${Math.round(share * 1000) / 10}%`;
    if (expected === null) progress.removeAttribute("aria-valuenow");
    else progress.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    const held = document.activeElement === again;
    again.hidden = reading !== null;
    stop.hidden = reading === null;
    if (held && reading) stop.focus({ preventScroll: true });
    again.disabled = frame.session === null;
    again.title = frame.session === null ? frame.whyReadOnly() : words.lists.read_again_title;
    history.disabled = (inventory.status?.snapshots ?? 0) === 0;
    out.disabled = picture === null;
    // Trouble with the last reading.
    if (picture) stalePut(frame, stale, inventory.trouble, picture.read_at, () => inventory.read());
    else stale.hidden = true;
    // The server asks to wait.
    const wait = reading?.waiting_until ?? null;
    if (wait && waiting.dataset.until !== wait) {
      const left = everySecond(el("span", { class: "soft num" }), (node) => { node.textContent = until(wait) > 0 ? ` (${span(until(wait))})` : ""; });
      const more = el("button", { class: "lnk", type: "button", "data-test": "stale-details" }, words.grants.why_not);
      more.addEventListener("click", () => frame.tell({ kind: "rate_limited", until: wait, problem: { status: 429, error_type: null, request_id: null, message: null, cause: null } }, { act: "read" }));
      put(waiting, el("span", {}, say(words.inventory.waiting, { at: el("b", {}, time(wait)) }), left), more);
    }
    waiting.dataset.until = wait ?? "";
    waiting.hidden = wait === null;
    drawPartial();
    drawChanges();
    saying.hidden = said === null;
    if (said && saying.dataset.said !== said.map((one) => one.textContent).join("")) {
      saying.dataset.said = said.map((one) => one.textContent).join("");
      const away = el("button", { class: "lnk", type: "button", "data-test": "said-dismiss" }, words.interrupted_banner.dismiss);
      away.addEventListener("click", () => { said = null; saying.dataset.said = ""; draw(); out.focus(); });
      put(saying, el("span", {}, ...said), away);
    }
    chosen.draw();
    if (document.activeElement !== filter) filter.value = inventory.filter.text ?? "";
  }

  function drawPartial() {
    const picture = inventory.picture;
    const missing = picture && picture.source !== "under_way" ? picture.missing : [];
    partial.hidden = missing.length === 0;
    const key = JSON.stringify(missing.map((one) => [one.what, one.cause, one.app?.connected_app_id]));
    if (missing.length === 0 || partial.dataset.key === key) return;
    partial.dataset.key = key;
    const more = el("button", { class: "lnk", type: "button", "data-test": "partial-details" }, words.inventory.details);
    more.addEventListener("click", () => missingDialog(frame, missing));
    const retry = el("button", { class: "b small", type: "button", "data-test": "partial-again" }, words.lists.read_again);
    retry.addEventListener("click", () => inventory.read());
    retry.disabled = frame.session === null;
    put(partial, el("span", {}, el("b", {}, words.inventory.partial_lead), " ", missingSentence(missing, picture?.apps ?? 0)), more, retry);
  }

  function drawChanges() {
    const picture = inventory.picture;
    const c = picture?.changes;
    const any = picture?.since && picture.source !== "under_way" && c ? c.new + c.widened + c.narrowed + c.altered + c.gone > 0 : false;
    changes.hidden = !any;
    if (!any || !picture?.since || !c) return;
    const key = JSON.stringify([picture.since, c, frame.session === null]);
    if (changes.dataset.key === key) return;
    changes.dataset.key = key;
    const show = el("button", { class: "b small", type: "button", "data-test": "changes-show" }, words.inventory.show_changes);
    show.hidden = c.new + c.widened === 0;
    show.addEventListener("click", () => {
      inventory.setFilter({ changes: ["new", "widened"] });
      plan.down();
    });
    const all = el("button", { class: "lnk", type: "button", "data-test": "changes-history" }, words.inventory.all_changes);
    all.addEventListener("click", () => frame.openHistory());
    const looked = el("button", { class: "b small", type: "button", "data-test": "looked" }, words.inventory.looked);
    looked.disabled = frame.session === null;
    looked.addEventListener("click", () => frame.looked());
    put(changes, el("span", {}, say(words.inventory.since, { at: time(picture.since.read_at, { seconds: false }), changes: el("b", {}, words.inventory.changed(c)) })), show, all, looked);
  }

  // ---- the detail
  /** @param {HTMLElement | null} node */
  function show(node) {
    const had = root.dataset.open !== undefined;
    if (node) {
      root.dataset.open = "";
      put(detail, node);
    } else {
      delete root.dataset.open;
      put(detail);
    }
    return had;
  }

  /** @param {Picked} picked */
  function drawPicked(picked) {
    const { rule } = picked.choice;
    bar.hidden = rule === null;
    if (!rule) { put(bar); return; }
    const held = bar.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.test : undefined;
    const copy = el("button", { class: "b small", type: "button", "data-test": "selection-copy" }, words.selection.copy);
    copy.addEventListener("click", () => copyIt({ ...plan.what(), selection: rule, format: "csv" }));
    const save = el("button", { class: "b small", type: "button", "data-test": "selection-export" }, words.exporting.button, arrow());
    const items = menu(save, words.exporting.title, () => exportItems(() => ({ ...plan.what(), selection: rule })).slice(0, 2));
    const revoke = el("button", { class: "b small danger", type: "button", "data-test": "selection-revoke" }, words.plan.selected(picked.count?.grants ?? 0));
    revoke.disabled = frame.session === null || (picked.count?.grants ?? 0) === 0;
    if (frame.session === null) revoke.title = frame.whyReadOnly();
    revoke.addEventListener("click", () => frame.plan({ kind: "selection", selection: rule }));
    const clear = el("button", { class: "lnk", type: "button", "data-test": "selection-clear" }, words.selection.clear);
    clear.addEventListener("click", picked.clear);
    put(
      bar,
      el("b", { class: "num", "data-test": "selection-count" }, picked.count ? words.selection.count(picked.choice.noun, picked.count) : words.lists.loading),
      picked.of !== "" ? el("span", { class: "soft" }, picked.of) : null,
      picked.count && picked.count.lost > 0 ? el("span", { class: "warn" }, words.selection.lost(picked.count.lost)) : null,
      el("span", { class: "sp" }),
      revoke, copy, save, items, clear,
    );
    const back = held === undefined ? null : bar.querySelector(`[data-test="${held}"]`);
    if (back instanceof HTMLElement) back.focus();
  }

  return {
    root,
    under: slot(root, "under"),
    filter,
    matching: slot(root, "matching"),
    unreadable: button(root, "unreadable"),
    strips,
    draw,
    show,
    opened: () => root.dataset.open !== undefined,
    typed,
    quiet: (on) => {
      for (const name of ["filters", "acts"]) slot(root, name).hidden = on;
      strips.hidden = on;
      if (on) chosen.chips.hidden = true;
    },
    picked: drawPicked,
  };
}

/** Where an export lies, and whether it lacks something. @param {import("../contract.js").Exported} done @param {string} lacking @returns {Node[]} */
export function writtenTo(done, lacking) {
  const path = el("span", { class: "mono path", "data-fact": "path" }, named(done.path, { limit: 600 }));
  return [say(words.exporting.done(done.rows), { path }), ...(done.complete ? [] : [el("b", {}, ` ${lacking}`)])];
}

/** The small arrow of a button that opens a menu. */
export function arrow() {
  return clone("t-arrow").firstElementChild;
}

/**
 * What is missing, in one sentence.
 * @param {Missing[]} missing
 * @param {number} apps
 */
export function missingSentence(missing, apps) {
  const said = words.inventory.missing;
  // An app that the policy hides is in no list any more, so it is none of the apps that were listed; nor is one that is only missing.
  const hidden = missing.filter((one) => one.cause === "hidden").length;
  const unlisted = missing.filter((one) => one.what === "app" && one.cause === "cut_short").length;
  const unread = missing.filter((one) => one.what === "app" && one.cause !== "hidden" && one.cause !== "cut_short").length;
  const broken = missing.filter((one) => one.what.endsWith("_rows") && one.cause !== "cut_short");
  const cut = missing.filter((one) => one.what.endsWith("_rows") && one.cause === "cut_short").length;
  const parts = [];
  if (unread > 0) parts.push(said.app(unread, apps));
  if (hidden > 0) parts.push(said.hidden(hidden));
  if (unlisted > 0) parts.push(said.unlisted(unlisted));
  if (cut > 0) parts.push(said.cut(cut));
  if (broken.length > 0) parts.push(said.rows(broken.reduce((sum, one) => sum + Math.max(1, one.rows), 0), broken.length));
  if (missing.some((one) => one.what === "names")) parts.push(missing.some((one) => one.what === "names" && one.cause === "denied") ? said.names_denied : said.names);
  return `${parts.join("; ")}.`;
}

/**
 * Each thing that is missing, with its cause and request id.
 * @param {Frame} frame
 * @param {Missing[]} missing
 */
export function missingDialog(frame, missing) {
  const dialog = openDialog();
  const root = clone("t-missing");
  put(slot(root, "lead"), missingSentence(missing, frame.inventory.picture?.apps ?? 0));
  put(
    slot(root, "list"),
    ...missing.slice(0, 500).map((one) => {
      const what = /** @type {Record<string, string>} */ (words.inventory.missing_what)[one.what] ?? visible(one.what, 40);
      const cause = /** @type {Record<string, string>} */ (words.inventory.causes)[one.cause] ?? visible(one.cause, 40);
      const rows = one.rows === 0 || one.cause === "cut_short" ? null : words.lists.unreadable(one.rows);
      const facts = [one.problem.status === null ? null : String(one.problem.status), one.problem.error_type, one.problem.message].filter((part) => part);
      return el(
        "li",
        { "data-test": "missing", "data-cause": one.cause },
        el("span", { class: "cell two" }, el("span", {}, el("b", {}, one.app ? named(one.app.name, { limit: 120 }) : what), ...(one.app ? [" ", idTail(one.app.connected_app_id)] : [])), el("small", {}, one.app ? `${what} · ` : "", rows === null ? one.cause === "cut_short" && one.what !== "app" ? words.inventory.cut_short(one.what, one.rows) : cause : one.cause === "unreadable_rows" ? rows : `${cause} · ${rows}`)),
        el("small", { class: "said" }, facts.length > 0 ? named(facts.join(" · "), { limit: 240 }) : null, one.problem.request_id ? el("span", { class: "mono", "data-fact": "request_id" }, named(one.problem.request_id, { limit: 120 })) : null),
      );
    }),
  );
  const close = button(root, "close");
  close.addEventListener("click", () => dialog.close());
  const retry = button(root, "again");
  retry.disabled = frame.session === null;
  retry.addEventListener("click", () => { dialog.close(); frame.inventory.read(); });
  dialog.show(root, { stage: "missing" }, close);
}

/** A time as a heading has it. @param {string} at */
export const asOf = (at) => clock(at, { seconds: false });
