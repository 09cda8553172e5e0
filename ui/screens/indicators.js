// What was found of an advisory's indicators: which, how, in how much of the inventory; and the way on to a plan, a containment,
// or the finding as evidence. The shell chose the file with the user and keeps the finding.

import { ask, refusalOf } from "../bridge.js";
import { openDialog } from "../elements/dialog.js";
import { tellRefusal } from "../elements/outcome.js";
import { missingSentence } from "../elements/pane.js";
import { Rows } from "../elements/rows.js";
import { note, paintTelling, putMark } from "../elements/telling.js";
import { announce, button, clone, el, input, put, say, slot } from "../lib/dom.js";
import { idTail, named } from "../lib/text.js";
import { time } from "../lib/time.js";
import { words } from "../words/en.js";
import { exportPack } from "./evidence.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").Finding} Finding */
/** @typedef {import("../contract.js").FindingRow} FindingRow */
/** @typedef {import("../contract.js").FindingPart} FindingPart */

/** Lets somebody choose a file of indicators and shows what was found of them. @param {Frame} frame */
export async function checkIndicators(frame) {
  const dialog = openDialog();
  const waiting = clone("t-planning");
  put(/** @type {HTMLElement} */ (waiting.querySelector("h2")), words.indicators.list);
  slot(waiting, "said").textContent = words.indicators.looking;
  const cancel = button(waiting, "cancel");
  cancel.addEventListener("click", () => dialog.close());
  dialog.show(waiting, { stage: "planning" }, cancel);
  try {
    const finding = await ask("indicators_check", {});
    if (!dialog.open()) return;
    if (finding) show(frame, dialog, finding);
    else dialog.close();
  } catch (thrown) {
    if (!dialog.open()) return;
    const { root, first } = paintTelling(tellRefusal(refusalOf(thrown), { session: frame.session, act: "read", close: () => dialog.close(), retry: () => checkIndicators(frame) }));
    dialog.show(root, { stage: "told" }, first);
  }
}

/** @param {Frame} frame @param {import("../elements/dialog.js").Dialog} dialog @param {Finding} finding */
function show(frame, dialog, finding) {
  const said = words.indicators;
  const root = clone("t-found");
  const { apps_read, apps_listed } = finding;
  putMark(slot(root, "mark"), finding.found > 0 ? "trouble" : finding.complete ? "gone" : "note");
  const title = finding.found > 0 ? said.title(finding.found, finding.indicators) : said.title_none(finding.indicators);
  slot(root, "title").textContent = title;
  put(slot(root, "lead"), say(finding.found_gone > 0 ? said.lead_without : said.lead, { file: named(finding.file, { strong: true, limit: 120 }), at: time(finding.read_at, { seconds: false }), gone: said.gone(finding.found_gone) }), " ", el("span", { "data-fact": "coverage" }, el("b", { class: "num" }, said.coverage(apps_read, apps_listed)), "."));
  put(slot(root, "notes"), finding.complete ? el("p", { class: "soft", "data-fact": "complete" }, said.complete, finding.asked > 0 ? ` ${said.asked(finding.asked)}` : null) : note("missing", el("b", {}, said.incomplete), ...gaps(finding, frame.session === null)));

  /** @type {FindingPart} */
  let part = finding.found > 0 ? "found" : "all";
  /** @type {Rows<FindingRow>} */
  const rows = new Rows({
    label: said.list,
    manner: "listbox",
    height: 44,
    template: "t-finding-row",
    fetch: async ({ offset, count }) => {
      const page = await ask("indicators_rows", { finding: finding.finding, part, offset, count });
      return { rows: page.rows, matching: page.total, total: page.total, unreadable: [], read_at: finding.read_at };
    },
    id: (row) => `${row.kind} ${row.text}`,
    paint: paintRow,
    onPage: () => {},
    empty: () => el("div", { class: "blankness slim" }, said.none_match),
    refused: (refusal) => paintTelling(tellRefusal(refusal, { session: frame.session, act: "read" })).root,
    stale: () => {},
  });
  rows.root.dataset.test = "finding-rows";
  slot(root, "under").replaceWith(rows.root);
  slot(root, "search").hidden = true;
  const tabs = slot(root, "tabs");
  tabs.setAttribute("aria-label", said.list);
  put(tabs, .../** @type {Array<[FindingPart, string]>} */ ([["found", said.part.found(finding.found)], ["not_found", said.part.not_found(finding.indicators - finding.found)], ["all", said.part.all(finding.indicators)]]).map(([name, label]) => {
    const radio = el("input", { type: "radio", name: "finding-part", value: name, "data-test": `finding-${name}`, checked: name === part });
    radio.addEventListener("change", () => { part = name; rows.load({ filter: name }); });
    return el("label", {}, radio, el("span", { class: "num" }, label));
  }));

  const alike = input(root, "alike");
  slot(root, "alike-line").hidden = finding.apps_with_look_alikes === finding.apps;
  const offline = frame.session === null;
  const save = el("button", { class: "b", type: "button", "data-test": "indicators-export", disabled: offline }, said.export);
  save.addEventListener("click", () => { dialog.close(null); exportPack(frame, () => ask("indicators_export", { finding: finding.finding, reason: null }), { finding: true }); });
  const plan = el("button", { class: "b danger", type: "button", "data-test": "indicators-plan" });
  plan.addEventListener("click", () => { dialog.close(null); frame.plan({ kind: "found", finding: finding.finding, look_alikes: alike.checked }); });
  const contain = el("button", { class: "b danger", type: "button", "data-test": "indicators-contain" });
  contain.addEventListener("click", () => { dialog.close(null); frame.contain({ kind: "found", finding: finding.finding, look_alikes: alike.checked }, null); });
  const unknown = finding.ids_not_found;
  const block = el("button", { class: "b danger", type: "button", "data-test": "indicators-block", disabled: offline }, said.block(unknown.length, finding.ids_not_found_total));
  block.hidden = unknown.length === 0;
  block.addEventListener("click", () => { dialog.close(null); frame.contain({ kind: "apps", connected_app_ids: unknown }, unknown.length === 1 ? unknown[0] ?? null : null); });
  const close = el("button", { class: "b solid", type: "button", "data-test": "close" }, words.close);
  close.addEventListener("click", () => dialog.close());
  const draw = () => {
    const apps = alike.checked ? finding.apps_with_look_alikes : finding.apps;
    const grants = alike.checked ? finding.grants_with_look_alikes : finding.grants;
    plan.textContent = said.plan(grants);
    contain.textContent = said.contain(apps);
    plan.disabled = offline || grants === 0;
    contain.disabled = offline || apps === 0;
    plan.hidden = contain.hidden = finding.apps_with_look_alikes === 0;
  };
  alike.addEventListener("change", draw);
  draw();
  put(slot(root, "acts"), el("span", { class: "side apart" }, save), el("span", { class: "side" }, block, plan, contain, close));
  dialog.show(root, { stage: "indicators", finding: finding.finding }, close);
  rows.load({ filter: part });
  announce(`${title}. ${said.coverage(apps_read, apps_listed)}.`);
}

/** What could not be told, a sentence each. @param {Finding} finding @param {boolean} offline @returns {Array<Node | string>} */
function gaps(finding, offline) {
  const said = words.indicators;
  /** @type {Array<Node | string>} */
  const told = [];
  if (finding.missing.length > 0) told.push(missingSentence(finding.missing, finding.apps_listed));
  if (finding.unknown > 0) told.push(said.unknown(finding.unknown));
  if (finding.unasked > 0) told.push((offline ? said.unasked_offline : said.unasked)(finding.unasked));
  if (finding.names_may_hide) told.push(said.names_may_hide);
  if (finding.not_understood_total > 0) {
    const [first] = finding.not_understood;
    told.push(el("span", {}, said.not_understood(finding.not_understood_total), " ", first === undefined ? null : named(first, { limit: 80 }), finding.not_understood_total > 1 ? ` ${said.more(finding.not_understood_total - 1)}` : null));
  }
  return told.flatMap((part) => [" ", part]);
}

/** @param {HTMLElement} node @param {FindingRow} row */
function paintRow(node, row) {
  const said = words.indicators;
  put(slot(node, "what"), named(row.text, { strong: row.by !== null, limit: 120 }));
  put(slot(node, "under"), said.kinds[row.kind]);
  const [first] = row.apps;
  put(slot(node, "found"), row.by === null || !first ? el("span", { class: "soft" }, said.not_found) : el("span", {}, named(first.name, { limit: 60 }), " ", idTail(first.connected_app_id), row.apps_total > 1 ? ` ${said.more(row.apps_total - 1)}` : ""));
  put(slot(node, "how"), row.by === null ? "" : el("span", { class: row.by === "look_alike" ? "warn" : "soft" }, said.by[row.by]), row.look_alikes_total > 0 ? el("span", { class: "warn" }, ` · ${said.alike(row.look_alikes_total)}`) : null);
  put(slot(node, "much"), row.by === null ? "" : words.plan.grants(row.grants));
}
