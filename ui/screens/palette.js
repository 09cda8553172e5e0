// The palette: any act, app or member by a few letters. What is found is the shell's to say; what the acts are, is ours.

import { ask, refusalOf } from "../bridge.js";
import { openDialog } from "../elements/dialog.js";
import { announce, clone, el, input, put, slot, unique } from "../lib/dom.js";
import { filterKey } from "../lib/inventory.js";
import { idTail, memberName, named, visible } from "../lib/text.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {{ key: string, label: string, note?: string, node?: Node, off?: string, run: () => unknown }} Choice */

/** Apps and members shown at most. */
const FOUND = 12;
/** Milliseconds of rest in typing before anything is asked for. */
const REST = 60;

/**
 * Every act, with the reason where it cannot be done now.
 * @param {Frame} frame
 * @returns {Choice[]}
 */
function acts(frame) {
  const { inventory, session } = frame;
  const said = words.palette;
  const none = inventory.picture ? "" : words.inventory.nothing;
  const view = frame.view();
  /** @param {import("../contract.js").ExportFormat} format */
  const save = async (format) => {
    const what = view?.export?.(format);
    if (!what) return;
    const done = await ask("inventory_export", { what });
    announce(words.exporting.done_heard(done.rows));
    tellExport(done);
  };
  const nothing = inventory.picture?.changes;
  const running = frame.sweeps.running;
  const open = view?.contain?.() ?? null;
  // What is selected on the screen in view; on the map these are grants.
  const chosen = { apps: frame.choices.apps, members: frame.choices.members, map: frame.choices.grants }[current(frame)] ?? null;
  return [
    { key: "go-apps", label: said.go(words.shell.apps), run: () => frame.go("apps") },
    { key: "go-members", label: said.go(words.shell.members), run: () => frame.go("members") },
    { key: "go-map", label: said.go(words.shell.map), run: () => frame.go("map") },
    { key: "go-activity", label: said.go(words.shell.activity), run: () => frame.go("activity") },
    { key: "act-read", label: said.read, note: "R", off: session ? "" : frame.whyReadOnly(), run: () => inventory.read() },
    { key: "act-new", label: said.show_new, off: none || (nothing && nothing.new + nothing.widened > 0 ? "" : said.nothing_new), run: () => { if (!["apps", "members", "map"].includes(current(frame))) frame.go("apps"); inventory.setFilter({ changes: ["new", "widened"] }); } },
    { key: "act-looked", label: words.inventory.looked, off: session ? none : frame.whyReadOnly(), run: () => frame.looked() },
    { key: "act-clear", label: words.filters.clear_long, off: filterKey(inventory.filter) === "" ? said.no_filter : "", run: () => inventory.setFilter({}) },
    { key: "act-csv", label: words.exporting.csv, off: view?.export ? none : said.not_here, run: () => save("csv") },
    { key: "act-json", label: words.exporting.json, off: view?.export ? none : said.not_here, run: () => save("json") },
    { key: "act-revoke-selected", label: said.revoke_selected, off: !session ? frame.whyReadOnly() : chosen?.rule ? "" : words.plan.nothing_selected, run: () => { if (chosen?.rule) frame.plan({ kind: "selection", selection: chosen.rule }); } },
    { key: "act-open-plan", label: words.plan.open, off: session ? "" : frame.whyReadOnly(), run: () => frame.openPlan() },
    { key: "act-contain", label: open ? words.contain.act.replace("{app}", () => visible(open.name, 60)) : words.contain.act_none, off: !session ? frame.whyReadOnly() : open ? "" : words.contain.act_off, run: () => open?.run() },
    { key: "act-indicators", label: words.indicators.button, off: none, run: () => frame.checkIndicators() },
    { key: "act-check-pack", label: words.evidence.check, run: () => frame.checkPack() },
    { key: "act-come-backs", label: words.come_back.show_act, off: frame.comeBacks.total > 0 ? "" : words.come_back.none_back, run: () => frame.openComeBacks() },
    { key: "act-sweep-show", label: words.sweep.show_act, off: running ? "" : words.sweep.none_running, run: () => { if (running) frame.openSweep(running.id); } },
    { key: "act-sweep-pause", label: words.sweep.pause_act, off: running ? "" : words.sweep.none_running, run: async () => { if (running) await ask("sweep_wish", { sweep_id: running.id, wish: "pause" }); } },
    { key: "act-history", label: words.history.open, off: (inventory.status?.snapshots ?? 0) > 0 ? "" : words.history.none, run: () => frame.openHistory() },
    { key: "act-width", label: words.rules.open, run: () => frame.openWidthRules() },
    { key: "act-extend", label: words.shell.extend_now_long, off: session ? "" : frame.whyReadOnly(), run: () => frame.extend() },
    { key: "act-out", label: words.shell.sign_out, off: session ? "" : frame.whyReadOnly(), run: () => frame.signOut() },
  ];
}

/** @param {Frame} frame */
const current = (frame) => (frame.view()?.root.dataset.test ?? "").replace("screen-", "");

/** @param {import("../contract.js").Exported} done */
function tellExport(done) {
  const dialog = openDialog();
  const root = clone("t-exported");
  put(slot(root, "lead"), words.exporting.done_heard(done.rows), done.complete ? "" : ` ${words.exporting.incomplete}`);
  put(slot(root, "path"), named(done.path, { limit: 600 }));
  const close = /** @type {HTMLButtonElement} */ (slot(root, "close"));
  close.addEventListener("click", () => dialog.close());
  dialog.show(root, { stage: "exported" }, close);
}

/** @param {Frame} frame */
export function openPalette(frame) {
  const dialog = openDialog();
  const root = clone("t-palette");
  const field = input(root, "text");
  const list = slot(root, "list");
  list.id = unique("found");
  field.setAttribute("aria-controls", list.id);
  /** @type {Choice[]} */
  let shown = [];
  let here = 0;
  let turn = 0;
  let resting = 0;

  function mark() {
    for (const [index, node] of [...list.querySelectorAll("[role=option]")].entries()) {
      node.setAttribute("aria-selected", String(index === here));
      if (index !== here) continue;
      field.setAttribute("aria-activedescendant", node.id);
      node.scrollIntoView({ block: "nearest" });
    }
    if (shown.length === 0) field.removeAttribute("aria-activedescendant");
  }

  /** @param {Choice[]} found @param {Choice[]} doing */
  function draw(found, doing) {
    shown = [...found, ...doing];
    here = Math.min(here, Math.max(0, shown.length - 1));
    /** @param {Choice} choice @param {number} index */
    const line = (choice, index) => {
      const made = el("div", { class: "found", role: "option", id: `${list.id}-${index}`, "data-test": "found", "data-key": choice.key, "aria-disabled": choice.off ? "true" : null }, choice.node ?? el("span", {}, choice.label), el("small", {}, choice.off || choice.note || ""));
      made.addEventListener("mousemove", () => { if (here !== index) { here = index; mark(); } });
      made.addEventListener("click", () => run(index));
      return made;
    };
    const parts = [];
    if (found.length > 0) parts.push(el("div", { role: "group", "aria-label": words.palette.found }, ...found.map(line)));
    if (doing.length > 0) parts.push(el("div", { role: "group", "aria-label": words.palette.acts }, ...doing.map((choice, index) => line(choice, found.length + index))));
    put(list, ...parts);
    slot(root, "none").hidden = shown.length > 0;
    mark();
  }

  /** @param {number} index */
  function run(index) {
    const choice = shown[index];
    if (!choice || choice.off) {
      if (choice?.off) announce(choice.off);
      return;
    }
    dialog.close();
    Promise.resolve(choice.run()).catch((thrown) => frame.tell(refusalOf(thrown), { act: "read" }));
  }

  async function seek() {
    const mine = ++turn;
    const text = field.value.trim();
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    const doing = acts(frame).filter((choice) => wanted.every((word) => choice.label.toLowerCase().includes(word)));
    // Without a word the acts come first and the apps stay out of the way.
    if (text === "") { draw([], doing); return; }
    /** @type {Choice[]} */
    let found = [];
    if (frame.inventory.picture) {
      try {
        const hits = await ask("inventory_find", { text, count: FOUND });
        for (const hit of hits) {
          if (hit.kind === "client_id") {
            // An advisory's id can be blocked before anybody has connected it.
            const id = hit.connected_app_id;
            if (frame.session) doing.push({ key: "act-block-id", label: words.palette.block.replace("{id}", () => visible(id, 80)), note: words.palette.block_note, run: () => frame.contain({ kind: "apps", connected_app_ids: [id] }, id) });
            continue;
          }
          found.push(hit.kind === "app"
            ? { key: `app ${hit.app.connected_app_id}`, label: hit.app.name, note: words.palette.app(hit.grants), node: el("span", {}, named(hit.app.name, { strong: true, limit: 120 }), " ", idTail(hit.app.connected_app_id)), run: () => frame.openRow("apps", hit.app.connected_app_id) }
            : { key: `member ${hit.member.member_id}`, label: memberName(hit.member), note: words.palette.member(hit.grants), node: el("span", {}, named(memberName(hit.member), { strong: true, limit: 120 }), hit.member.name && hit.member.email ? el("span", { class: "soft" }, " ", named(hit.member.email, { limit: 120 })) : null), run: () => frame.openRow("members", hit.member.member_id) });
        }
      } catch {
        // The acts are still there; the lists say what is wrong with the picture.
      }
    }
    if (mine !== turn || !dialog.open()) return;
    draw(found, doing);
    announce(shown.length === 0 ? words.palette.none : words.palette.heard(found.length, doing.length));
  }

  field.addEventListener("input", () => {
    here = 0;
    clearTimeout(resting);
    resting = window.setTimeout(seek, REST);
  });
  field.addEventListener("keydown", async (event) => {
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + 8, PageUp: here - 8 }[event.key];
    if (to !== undefined && shown.length > 0) {
      event.preventDefault();
      here = Math.abs(to - here) === 1 ? (to + shown.length) % shown.length : Math.max(0, Math.min(shown.length - 1, to));
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      // What was typed last is what is meant.
      clearTimeout(resting);
      await seek();
      run(here);
    }
  });
  // A click beside it means away with it.
  dialog.root.addEventListener("click", (event) => { if (event.target === dialog.root) dialog.close(); });
  dialog.show(root, { stage: "palette" }, field);
  seek();
}
