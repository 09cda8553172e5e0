// The map: apps downwards, members across, one cell for each grant or for many. To be looked at, walked by the arrow keys, and
// read as a table.

import { ask, refusalOf } from "../bridge.js";
import { Chart } from "../elements/chart.js";
import { changeMark, levelWords, scopesLine, seenSentence, seenShort, widthSentence } from "../elements/facts_of.js";
import { counter, nothingYet, table } from "../elements/listing.js";
import { pane } from "../elements/pane.js";
import { refusedPanel } from "../elements/browse.js";
import { announce, button, clone, el, put, slot } from "../lib/dom.js";
import { filterKey } from "../lib/inventory.js";
import { memberName, named, visible } from "../lib/text.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").MapBand} MapBand */
/** @typedef {import("../contract.js").GrantRow} GrantRow */

/** Milliseconds of rest before a nearer picture is asked for. */
const REST = 70;
/** Milliseconds of rest before what a cell means is asked for. */
const HOVER = 60;
/** How much nearer one step is. */
const STEP = 0.6;

/**
 * @param {Frame} frame
 * @returns {import("./frame.js").View}
 */
export function map(frame) {
  const { inventory } = frame;
  const choice = frame.choices.grants;
  let asTable = false;
  let dirty = true;
  let turn = 0;
  let resting = 0;
  /** Nothing has moved it yet: it shows everything, whatever comes. */
  let wholeView = true;
  let pending = Promise.resolve();

  const made = pane(frame, {
    key: "map",
    title: words.map.title,
    placeholder: words.map.filter,
    what: () => ({ noun: "grants", query: list.query(), format: "csv" }),
    down: () => { if (asTable) list.rows.focus(); else canvas.focus(); },
    first: async () => {
      await pending;
      if (asTable) list.rows.open(0);
      else canvas.focus();
    },
  });
  made.root.classList.add("alone");

  const body = clone("t-map");
  const canvas = /** @type {HTMLCanvasElement} */ (slot(body, "canvas"));
  const picture = slot(body, "picture");
  const state = slot(body, "state");
  const told = slot(body, "told");
  const tip = slot(body, "tip");
  const near = button(body, "near");
  const far = button(body, "far");
  const whole = button(body, "whole");
  made.under.replaceWith(body);

  const chart = new Chart({ canvas, left: slot(body, "left"), top: slot(body, "top"), field: slot(body, "field"), probes: slot(body, "probes"), onSize: () => { if (chart.picture) ask_soon(); else if (!asTable && !dirty) load(); } });

  const count = counter(frame, choice, (counted) => made.picked({ choice, count: counted, of: "", clear: () => { choice.clear(); list.chosen(); list.rows.focus(); } }));
  const list = table(frame, {
    noun: "grants",
    fold: false,
    label: words.map.table_label,
    head: "t-grant-head",
    row: "t-grant-line",
    height: 36,
    sort: "name",
    descending: false,
    choice,
    fetch: (query) => ask("inventory_grants", { query }),
    id: (row) => `${row.member.member_id}\n${row.app.connected_app_id}`,
    paint: (node, row) => {
      put(slot(node, "app"), named(row.app.name, { strong: true }));
      put(slot(node, "member"), row.member.name || row.member.email ? named(memberName(row.member)) : el("span", { class: "mono" }, named(row.member.member_id)));
      put(slot(node, "scopes"), ...scopesLine(row.scopes, row.scopes.length, row.width, 3));
      put(slot(node, "seen"), seenShort(row.first_seen));
      put(slot(node, "marks"), changeMark(row.change, row.scopes_before));
    },
    open: (row) => { frame.openRow("members", row.member.member_id, row.app.connected_app_id); },
    none: () => ({ title: words.map.none, next: words.map.none_next }),
    picked: count,
    onPage: (page) => {
      made.matching.textContent = filterKey(inventory.filter) === "" ? "" : words.inventory.grants_matching(page.matching, page.total);
    },
  });
  list.rows.root.hidden = true;
  body.append(list.rows.root);

  // ---- picture or table
  for (const one of /** @type {HTMLInputElement[]} */ ([...body.querySelectorAll("input[name=map-as]")])) {
    one.addEventListener("change", () => {
      asTable = one.value === "table";
      load();
    });
  }

  /** @param {boolean} on */
  function busy(on) {
    picture.setAttribute("aria-busy", String(on));
  }

  function load() {
    made.draw();
    const node = nothingYet(frame, list.rows);
    const nothing = node !== null;
    state.hidden = !nothing;
    picture.hidden = nothing || asTable;
    slot(body, "tools").hidden = nothing;
    slot(body, "zoom").hidden = asTable;
    list.rows.root.hidden = nothing || !asTable;
    if (nothing) {
      if (state.firstElementChild !== node) put(state, node);
      dirty = true;
      return;
    }
    dirty = false;
    if (asTable) pending = list.load();
    else pending = draw();
    if (choice.rule && asTable) count();
    else if (!asTable) made.picked({ choice: /** @type {any} */ ({ rule: null }), count: null, of: "", clear: () => {} });
  }

  /** Asks for the part in sight, as fine as the screen can show it. */
  async function draw() {
    clearTimeout(resting);
    const mine = ++turn;
    chart.measure();
    if (chart.wide === 0) return;
    const room = chart.room();
    const { x0, x1, y0, y1 } = chart.view;
    const all = wholeView || !chart.picture;
    const query = {
      filter: inventory.filter,
      row: all ? 0 : Math.floor(y0),
      rows: all ? 0 : Math.max(1, Math.ceil(y1) - Math.floor(y0)),
      column: all ? 0 : Math.floor(x0),
      columns: all ? 0 : Math.max(1, Math.ceil(x1) - Math.floor(x0)),
      cells_down: room.down,
      cells_across: room.across,
    };
    const waiting = setTimeout(() => { if (mine === turn) busy(true); }, 150);
    try {
      const drawn = await ask("inventory_map", { query });
      if (mine !== turn) return;
      chart.take(drawn);
      if (wholeView) chart.view = chart.whole();
      else chart.view = chart.kept(chart.view);
      const empty = drawn.total_rows === 0 || drawn.total_columns === 0;
      state.hidden = !empty;
      picture.hidden = empty;
      if (empty) {
        const filtered = filterKey(inventory.filter) !== "";
        const clear = el("button", { class: "b", type: "button", "data-test": "clear-filter" }, words.lists.clear);
        clear.addEventListener("click", () => { inventory.setFilter({}); made.filter.focus(); });
        put(state, el("div", { class: "blankness", "data-test": "empty" }, el("b", {}, filtered ? words.map.no_match : words.map.none), el("p", {}, filtered ? words.lists.no_match_all : words.map.none_next), filtered ? el("div", { class: "acts" }, clear) : null));
      }
      const grants = drawn.down.reduce((sum, band) => sum + band.grants, 0);
      made.matching.textContent = filterKey(inventory.filter) === "" ? "" : words.map.matching(drawn.total_rows, drawn.total_columns);
      const label = words.map.label(drawn.total_rows, drawn.total_columns, drawn.rows, drawn.columns, grants);
      canvas.setAttribute("aria-label", label);
      put(slot(body, "extent"), words.map.extent(drawn.rows, drawn.total_rows, drawn.columns, drawn.total_columns));
      if (chart.cursor && (chart.cursor.row >= drawn.total_rows || chart.cursor.column >= drawn.total_columns)) chart.cursor = null;
      // The keyboard may have come before the picture did.
      if (document.activeElement === canvas) standFirst();
      // What stands under the cursor may be another thing in this picture than in the last.
      if (chart.cursor) tellCursor();
      buttons();
      chart.look();
      body.dataset.drawn = String(mine);
    } catch (thrown) {
      if (mine !== turn) return;
      state.hidden = false;
      picture.hidden = true;
      put(state, refusedPanel(frame, refusalOf(thrown), () => load()));
    } finally {
      clearTimeout(waiting);
      if (mine === turn) busy(false);
    }
  }

  function ask_soon() {
    clearTimeout(resting);
    resting = window.setTimeout(() => { pending = draw(); }, REST);
  }

  function buttons() {
    const { view } = chart;
    const all = chart.whole();
    const w = view.x1 - view.x0;
    const h = view.y1 - view.y0;
    far.disabled = w >= all.x1 && h >= all.y1;
    whole.disabled = far.disabled;
    const least = chart.least();
    near.disabled = w <= least.w && h <= least.h;
  }

  /** @param {import("../elements/chart.js").View} view */
  function move(view) {
    chart.view = view;
    const all = chart.whole();
    wholeView = view.x1 - view.x0 >= all.x1 && view.y1 - view.y0 >= all.y1;
    hideTip();
    buttons();
    chart.look();
    ask_soon();
  }

  /** @param {number} factor */
  function zoom(factor) {
    if (!chart.picture) return;
    const { cursor, view } = chart;
    const inside = cursor && cursor.row >= view.y0 && cursor.row < view.y1 && cursor.column >= view.x0 && cursor.column < view.x1;
    // With no cell chosen it comes nearer to where the most is: at the top, and at the left.
    move(inside ? chart.zoomed(factor, cursor.row + 0.5, cursor.column + 0.5) : chart.zoomed(factor, view.y0, view.x0));
  }

  function zoomOut() {
    move(chart.whole());
    announce(words.map.whole_heard);
  }

  near.addEventListener("click", () => zoom(STEP));
  far.addEventListener("click", () => zoom(1 / STEP));
  whole.addEventListener("click", () => { zoomOut(); canvas.focus(); });

  // ---- what a cell means
  /** @type {{ row: GrantRow | null, text: string } | null} */
  let meant = null;
  let asked = 0;

  /** @param {MapBand} band */
  const appsOf = (band) => (band.app ? visible(band.app.name, 60) || words.nameless : words.map.rows(band.count));
  /** @param {MapBand} band */
  const membersOf = (band) => (band.member ? visible(memberName(band.member), 60) : words.map.columns(band.count));

  /**
   * A cell in words; of a single grant with its scopes, which only the shell knows.
   * @param {NonNullable<ReturnType<Chart["find"]>>} found
   * @returns {Promise<{ row: GrantRow | null, text: string }>}
   */
  async function meaning(found) {
    const { cell, down, across } = found;
    const head = `${appsOf(down)} × ${membersOf(across)}`;
    if (!cell || cell.grants === 0) return { row: null, text: words.map.empty_cell(head) };
    if (down.app && across.member) {
      /** @type {import("../contract.js").Filter} */
      const filter = { ...inventory.filter, members: [across.member.member_id], ...(down.group && down.clients > 1 ? { group: down.group } : { apps: [down.app.connected_app_id] }) };
      const page = await ask("inventory_grants", { query: { filter, sort: "width", descending: true, fold: false, offset: 0, count: 1 } });
      const [row] = page.rows;
      if (row) {
        const scopes = row.scopes.length > 0 ? visible(row.scopes.join(" "), 200) : words.grants.no_scopes;
        const change = row.change ? `, ${words.changes[row.change]}` : "";
        const more = page.matching > 1 ? ` ${words.map.and_more(page.matching - 1)}` : "";
        return { row, text: `${head}: ${scopes} · ${widthSentence(row.width)}, ${seenSentence(row.first_seen).textContent}${change}${more}${down.odd ? `, ${words.map.odd}` : ""}` };
      }
    }
    return { row: null, text: `${head}: ${words.map.crowd(cell.grants, cell.room, levelWords(cell.level), cell.fresh)}${down.odd ? `, ${words.map.odd}` : ""}` };
  }

  /** Tells where the keyboard stands. */
  async function tellCursor() {
    const found = chart.cursor ? chart.find(chart.cursor.row, chart.cursor.column) : null;
    if (!found) { told.textContent = ""; meant = null; return; }
    const mine = ++asked;
    try {
      const known = await meaning(found);
      if (mine !== asked) return;
      meant = known;
      if (told.textContent === known.text) return;
      told.textContent = known.text;
      told.title = known.text;
      announce(known.text);
    } catch (thrown) {
      if (mine === asked) told.textContent = words.map.untold;
    }
  }

  /** @param {number} row @param {number} column */
  function stand(row, column) {
    chart.cursor = { row, column };
    chart.look();
    tellCursor();
  }

  function openHere() {
    const found = chart.cursor ? chart.find(chart.cursor.row, chart.cursor.column) : null;
    if (!found || !chart.cursor) return;
    if (found.down.count === 1 && found.across.count === 1) {
      if (found.across.member && meant?.row) frame.openRow("members", found.across.member.member_id, meant.row.app.connected_app_id);
      else if (found.across.member && found.cell) frame.openRow("members", found.across.member.member_id);
      return;
    }
    // As near as it takes for the cell to come apart.
    const { x0, x1, y0, y1 } = chart.view;
    const w = Math.min(x1 - x0, Math.max(found.across.count * 3, (x1 - x0) * STEP * STEP * (found.across.count > 1 ? 0.5 : 1)));
    const h = found.down.count > 1 ? Math.min(y1 - y0, Math.max(found.down.count * 3, (y1 - y0) * STEP)) : y1 - y0;
    const cx = found.across.first + found.across.count / 2;
    const cy = found.down.first + found.down.count / 2;
    chart.cursor = { row: found.down.first, column: found.across.first };
    move(chart.kept({ x0: cx - w / 2, x1: cx + w / 2, y0: cy - h / 2, y1: cy + h / 2 }));
  }

  canvas.addEventListener("keydown", async (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !chart.picture) return;
    const { picture: drawn } = chart;
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -1e9], End: [0, 1e9] }[event.key];
    if (step) {
      event.preventDefault();
      if (!chart.cursor) {
        stand(drawn.down[0]?.first ?? 0, drawn.across[0]?.first ?? 0);
        return;
      }
      const found = chart.find(chart.cursor.row, chart.cursor.column);
      const y = found ? found.y + (step[0] ?? 0) : 0;
      const x = found ? found.x + (step[1] ?? 0) : 0;
      const down = drawn.down[Math.max(0, Math.min(drawn.down.length - 1, y))];
      const across = drawn.across[Math.max(0, Math.min(drawn.across.length - 1, x))];
      if (!down || !across) return;
      // At the edge the map moves under the cursor.
      const over = { row: y < 0 ? -1 : y >= drawn.down.length ? 1 : 0, column: x < 0 ? -1 : x >= drawn.across.length ? 1 : 0 };
      if (Math.abs(step[1] ?? 0) < 1000 && (over.row !== 0 || over.column !== 0)) {
        const { x0, x1, y0, y1 } = chart.view;
        const dx = over.column * Math.max(1, Math.round((x1 - x0) / 3));
        const dy = over.row * Math.max(1, Math.round((y1 - y0) / 3));
        const next = chart.kept({ x0: x0 + dx, x1: x1 + dx, y0: y0 + dy, y1: y1 + dy });
        if (next.x0 !== x0 || next.y0 !== y0) {
          const row = over.row === 0 ? down.first : over.row < 0 ? down.first - 1 : down.first + down.count;
          const column = over.column === 0 ? across.first : over.column < 0 ? across.first - 1 : across.first + across.count;
          chart.cursor = { row: Math.max(0, row), column: Math.max(0, column) };
          move(next);
          clearTimeout(resting);
          pending = draw();
          await pending;
          return;
        }
      }
      stand(down.first, across.first);
      inSight(down, across);
    } else if (event.key === "+" || event.key === "=") {
      event.preventDefault();
      zoom(STEP);
    } else if (event.key === "-") {
      event.preventDefault();
      zoom(1 / STEP);
    } else if (event.key === "0") {
      event.preventDefault();
      zoomOut();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      openHere();
    }
  });

  /** @param {MapBand} down @param {MapBand} across */
  function inSight(down, across) {
    const { x0, x1, y0, y1 } = chart.view;
    let dx = 0;
    let dy = 0;
    if (across.first < x0) dx = across.first - x0;
    else if (across.first + across.count > x1) dx = across.first + across.count - x1;
    if (down.first < y0) dy = down.first - y0;
    else if (down.first + down.count > y1) dy = down.first + down.count - y1;
    if (dx !== 0 || dy !== 0) move(chart.kept({ x0: x0 + dx, x1: x1 + dx, y0: y0 + dy, y1: y1 + dy }));
  }

  /** A keyboard that stands nowhere stands on the first cell. */
  function standFirst() {
    if (chart.cursor || !chart.picture || document.documentElement.dataset.hand !== "keys") return;
    stand(chart.picture.down[0]?.first ?? 0, chart.picture.across[0]?.first ?? 0);
  }
  canvas.addEventListener("focus", () => standFirst());

  // ---- the pointer
  canvas.addEventListener("wheel", (event) => {
    if (!chart.picture) return;
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    const at = chart.at(event.clientX - box.left, event.clientY - box.top);
    const { x0, x1, y0, y1 } = chart.view;
    if (!event.ctrlKey && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
      const dx = (event.deltaX || event.deltaY) / chart.scaleX;
      move(chart.kept({ x0: x0 + dx, x1: x1 + dx, y0, y1 }));
      return;
    }
    // A pinch comes as a wheel with the control key, in smaller steps.
    move(chart.zoomed(Math.exp(event.deltaY * (event.ctrlKey ? 0.01 : 0.0022)), at.row, at.column));
  }, { passive: false });

  /** @type {{ px: number, py: number, view: import("../elements/chart.js").View, moved: boolean } | null} */
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { px: event.clientX, py: event.clientY, view: chart.view, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) { hover(event); return; }
    const dx = event.clientX - drag.px;
    const dy = event.clientY - drag.py;
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    drag.moved = true;
    canvas.classList.add("dragged");
    const { x0, x1, y0, y1 } = drag.view;
    move(chart.kept({ x0: x0 - dx / chart.scaleX, x1: x1 - dx / chart.scaleX, y0: y0 - dy / chart.scaleY, y1: y1 - dy / chart.scaleY }));
  });
  canvas.addEventListener("pointerup", (event) => {
    const was = drag;
    drag = null;
    canvas.classList.remove("dragged");
    if (!was || was.moved) return;
    const box = canvas.getBoundingClientRect();
    const at = chart.at(event.clientX - box.left, event.clientY - box.top);
    const found = chart.find(at.row, at.column);
    if (found) stand(found.down.first, found.across.first);
  });
  canvas.addEventListener("pointercancel", () => { drag = null; canvas.classList.remove("dragged"); });
  canvas.addEventListener("dblclick", () => openHere());
  canvas.addEventListener("pointerleave", () => hideTip());

  let hovering = 0;
  let hovered = "";
  function hideTip() {
    clearTimeout(hovering);
    hovered = "";
    tip.hidden = true;
  }

  /** @param {PointerEvent} event */
  function hover(event) {
    const box = canvas.getBoundingClientRect();
    const px = event.clientX - box.left;
    const py = event.clientY - box.top;
    const at = chart.at(px, py);
    const found = chart.find(at.row, at.column);
    const key = found?.cell ? `${found.y} ${found.x}` : "";
    if (key === hovered) return;
    hideTip();
    if (!found?.cell) return;
    hovered = key;
    hovering = window.setTimeout(async () => {
      try {
        const { text } = await meaning(found);
        if (hovered !== key) return;
        tip.textContent = text;
        tip.hidden = false;
        const field = slot(body, "field");
        const left = px + 14 + tip.offsetWidth > field.clientWidth ? px - 14 - tip.offsetWidth : px + 14;
        tip.style.left = `${canvas.offsetLeft + Math.max(0, left)}px`;
        tip.style.top = `${canvas.offsetTop + (py + 18 + tip.offsetHeight > field.clientHeight ? Math.max(0, py - 10 - tip.offsetHeight) : py + 18)}px`;
      } catch {
        hideTip();
      }
    }, HOVER);
  }

  return {
    root: made.root,
    enter: () => {
      made.draw();
      if (dirty) load();
      else if (asTable) list.rows.draw();
      else chart.look();
      made.filter.focus();
    },
    load: async () => {},
    reload: () => { load(); },
    changed: (what, inSight) => {
      if (what === "reading") {
        made.draw();
        if (inventory.picture === null && inSight) load();
        return;
      }
      if (what === "picture") choice.known.clear();
      // Another filter is another map: it is shown whole.
      if (what === "filter") { wholeView = true; chart.cursor = null; told.textContent = ""; }
      if (inSight) load();
      else dirty = true;
    },
    escape: () => {
      if (asTable || wholeView || !chart.picture) return false;
      zoomOut();
      return true;
    },
    filter: made.filter,
    export: (format) => ({ noun: "grants", query: list.query(), selection: asTable ? choice.rule : null, format }),
  };
}
