// The history: every reading that the journal keeps, any two of them compared, and what is different between them.

import { ask, refusalOf } from "../bridge.js";
import { refusedPanel } from "../elements/browse.js";
import { openDialog } from "../elements/dialog.js";
import { changeMark, widthTag } from "../elements/facts_of.js";
import { menu } from "../elements/menu.js";
import { writtenTo } from "../elements/pane.js";
import { Rows } from "../elements/rows.js";
import { announce, button, clone, el, input, put, say, slot } from "../lib/dom.js";
import { memberName, named, visible } from "../lib/text.js";
import { clock, time } from "../lib/time.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").GrantChange} GrantChange */
/** @typedef {import("../contract.js").GrantRow} GrantRow */
/** @typedef {import("../contract.js").SnapshotRow} SnapshotRow */
/** @typedef {import("../contract.js").ChangeRows & import("../elements/rows.js").Page<GrantRow>} Page */

/** @type {GrantChange[]} */
const KINDS = ["new", "widened", "narrowed", "altered", "gone"];

/** @param {Frame} frame */
export async function openHistory(frame) {
  const dialog = openDialog();
  const root = clone("t-history");
  const from = /** @type {HTMLSelectElement} */ (slot(root, "from"));
  const to = /** @type {HTMLSelectElement} */ (slot(root, "to"));
  const chips = slot(root, "kinds");
  const filter = input(root, "filter");
  /** @type {Set<GrantChange>} */
  const kinds = new Set();
  /** @type {SnapshotRow[]} */
  let all = [];

  /** @type {Rows<GrantRow, Page>} */
  const rows = new Rows({
    label: words.history.list,
    manner: "grid",
    head: clone("t-change-head"),
    height: 50,
    template: "t-change-row",
    fetch: async (window) => {
      const page = await ask("snapshot_changes", asked(JSON.parse(window.filter), window));
      return /** @type {Page} */ ({ ...page, unreadable: [], read_at: page.to.read_at });
    },
    id: (row) => `${row.member.member_id}\n${row.app.connected_app_id}`,
    paint: (node, row) => {
      put(slot(node, "change"), changeMark(row.change, row.scopes_before));
      put(slot(node, "app"), named(row.app.name, { strong: true }));
      put(slot(node, "member"), named(memberName(row.member)));
      const before = row.scopes_before ?? [];
      const more = row.scopes.filter((scope) => !before.includes(scope));
      const less = before.filter((scope) => !row.scopes.includes(scope));
      const told = row.scopes_before === null || row.change === "new" || row.change === "gone"
        ? [named(row.scopes.join(" "), { limit: 300, empty: words.grants.no_scopes })]
        : [...more.map((scope) => el("ins", {}, "+", named(scope, { limit: 60 }))), ...less.map((scope) => el("del", {}, "−", named(scope, { limit: 60 })))].flatMap((piece) => [piece, " "]);
      put(slot(node, "scopes"), row.change === "gone" ? null : widthTag(row.width), ...told);
    },
    onPage: (page) => {
      const c = page.counts;
      put(chips, ...KINDS.map((kind) => {
        const made = el("button", { class: "chip", type: "button", "aria-pressed": String(kinds.has(kind)), "data-test": "kind", "data-kind": kind }, `${words.changes[kind]} `, el("small", { class: "num" }, words.number(c[kind])));
        made.disabled = c[kind] === 0 && !kinds.has(kind);
        made.addEventListener("click", () => {
          if (kinds.has(kind)) kinds.delete(kind);
          else kinds.add(kind);
          load().then(() => { const again = chips.querySelector(`[data-kind="${kind}"]`); if (again instanceof HTMLElement) again.focus(); });
        });
        return made;
      }));
      slot(root, "count").textContent = words.lists.matching(page.matching, page.total);
      const lost = slot(root, "lost");
      lost.hidden = page.not_compared.length === 0;
      put(lost, el("b", {}, words.history.not_compared(page.not_compared.length)), " ", named(page.not_compared.slice(0, 20).map((app) => visible(app.name, 40)).join(", "), { limit: 400 }));
      announce(words.lists.matching(page.matching, page.total));
    },
    empty: (page) => el("div", { class: "blankness", "data-test": "empty" }, el("b", {}, page.total === 0 ? words.history.same : words.history.no_match), el("p", {}, page.total === 0 ? words.history.same_next : words.lists.no_match_next)),
    refused: (refusal) => refusedPanel(frame, refusal, () => load()),
    stale: () => {},
  });
  slot(root, "under").replaceWith(rows.root);

  /** What is chosen now. */
  const chosen = () => ({ from: Number(from.value), to: Number(to.value), kinds: KINDS.filter((kind) => kinds.has(kind)), text: filter.value.trim() });
  /** What the shell is asked for. @param {ReturnType<typeof chosen>} of @param {{ offset: number, count: number }} window */
  function asked(of, window) {
    return { from: of.from, to: of.to, kinds: of.kinds, query: { filter: of.text === "" ? {} : { text: of.text }, sort: /** @type {const} */ ("name"), descending: false, fold: false, offset: window.offset, count: window.count } };
  }

  /** What the last export took: it is told of as long as that is what is shown. */
  let taken = "";
  function load() {
    const key = JSON.stringify(chosen());
    if (key !== taken) slot(root, "exported").hidden = true;
    return rows.load({ filter: key });
  }

  /** @param {import("../contract.js").ExportFormat} format */
  async function exportIt(format) {
    try {
      const wanted = chosen();
      const done = await ask("snapshot_changes_export", { ...asked(wanted, { offset: 0, count: 0 }), format });
      taken = JSON.stringify(wanted);
      const said = slot(root, "exported");
      said.hidden = false;
      put(said, ...writtenTo(done, words.exporting.not_compared));
      announce(words.exporting.done_heard(done.rows));
    } catch (thrown) {
      frame.tell(refusalOf(thrown), { act: "read", retry: () => exportIt(format) });
    }
  }
  const out = button(root, "export");
  root.append(menu(out, words.exporting.title, () => [
    { key: "export-csv", label: words.exporting.csv, note: words.exporting.csv_note, run: () => exportIt("csv") },
    { key: "export-json", label: words.exporting.json, note: words.exporting.json_note, run: () => exportIt("json") },
  ]));

  /** @param {SnapshotRow} row */
  const label = (row) => `${words.history.reading(row.snapshot)} · ${clock(row.read_at, { seconds: false })} · ${words.inventory.grants(row.grants)}${row.complete ? "" : ` · ${words.history.partial}`}`;

  function facts() {
    /** @param {string} value */
    const one = (value) => all.find((row) => String(row.snapshot) === value);
    const late = one(to.value);
    put(slot(root, "facts"), late ? say(words.history.facts, { n: words.number(late.snapshot), at: time(late.read_at), who: late.read_by ? named(late.read_by, { limit: 80 }) : words.history.somebody, apps: words.inventory.of_apps(late.apps_read, late.apps) }) : null);
  }

  for (const select of [from, to]) {
    select.addEventListener("change", () => {
      // The earlier one always stands first: a change read backwards would call what came gone.
      if (Number(from.value) > Number(to.value)) [from.value, to.value] = [to.value, from.value];
      facts();
      load();
    });
  }
  let resting = 0;
  filter.addEventListener("input", () => {
    clearTimeout(resting);
    resting = window.setTimeout(load, 110);
  });
  filter.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    rows.focus();
  });
  const close = button(root, "close");
  close.addEventListener("click", () => dialog.close());
  slot(root, "table").hidden = true;
  dialog.show(root, { stage: "history" }, close);
  try {
    all = await ask("snapshot_list", {});
  } catch (thrown) {
    if (!dialog.open()) return;
    put(slot(root, "only"), refusedPanel(frame, refusalOf(thrown), () => { dialog.close(); openHistory(frame); }));
    return;
  }
  if (!dialog.open()) return;
  slot(root, "lead").textContent = words.history.lead(all.length);
  if (all.length < 2) {
    put(slot(root, "only"), el("p", { class: "soft", "data-test": "empty" }, all.length === 0 ? words.history.none : words.history.one));
    return;
  }
  const newest = [...all].sort((a, b) => b.snapshot - a.snapshot);
  for (const select of [from, to]) put(select, ...newest.map((row) => el("option", { value: String(row.snapshot) }, label(row))));
  const last = newest[0];
  const since = frame.inventory.picture?.since?.snapshot;
  const before = newest.find((row) => row.snapshot === since && row !== last) ?? newest[1];
  from.value = String(before?.snapshot ?? "");
  to.value = String(last?.snapshot ?? "");
  slot(root, "table").hidden = out.hidden = false;
  facts();
  await load();
  if (dialog.open() && document.activeElement === close) from.focus();
}
