// What is filtered: the menu where it is chosen, and the chips that show it and take it away. It changes the one filter that
// Apps, Members and Map share; which rows match is the shell's to say.

import { ask } from "../bridge.js";
import { LISTS } from "../lib/inventory.js";
import { announce, el, put, unique } from "../lib/dom.js";
import { idTail, memberName, named, visible } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { words } from "../words/en.js";
import { levelWords } from "./facts_of.js";
import { bind, place } from "./menu.js";

/** @typedef {import("../contract.js").Filter} Filter */
/** @typedef {import("../contract.js").Facet} Facet */
/** @typedef {import("../lib/inventory.js").Inventory} Inventory */
/** @typedef {import("../lib/inventory.js").ListKey} ListKey */

/** Facets shown before a search narrows them. */
const SHOWN = 60;
/** Apps, or members, offered at once; and how many are looked through for those whose own name was typed. */
const OFFERED = 20;
const LOOKED_AT = 200;
/** Milliseconds of rest in typing before apps or members are asked for. */
const REST = 110;

/**
 * How one value of a filter is called.
 * @param {ListKey} key
 * @param {string} value
 * @returns {string}
 */
export function valueWords(key, value) {
  if (key === "client_types") return /** @type {Record<string, string>} */ (words.apps.types)[value] ?? visible(value, 40);
  if (key === "levels") return levelWords(Number(value));
  if (key === "changes") return /** @type {Record<string, string | undefined>} */ ({ new: words.changes.new, widened: words.changes.widened, narrowed: words.changes.narrowed, altered: words.changes.altered })[value] ?? visible(value, 40);
  if (key === "look_alikes") return /** @type {Record<string, string>} */ (words.filters.look_alike)[value] ?? visible(value, 40);
  if (key === "statuses") return /** @type {Record<string, string>} */ (words.members.statuses)[value] ?? visible(value, 40);
  if (key === "apps") return words.filters.one_app;
  if (key === "members") return words.filters.one_member;
  return visible(value, 60);
}

/** @param {Filter} filter @param {ListKey} key @returns {string[]} */
const listOf = (filter, key) => /** @type {any[]} */ (filter[key] ?? []).map(String);

/**
 * The filter with one value put in or taken out.
 * @param {Filter} filter
 * @param {ListKey} key
 * @param {string} value
 * @param {boolean} on
 * @returns {Filter}
 */
export function withValue(filter, key, value, on) {
  const rest = listOf(filter, key).filter((one) => one !== value);
  const list = on ? [...rest, value] : rest;
  return { ...filter, [key]: key === "levels" ? list.map(Number) : list };
}

/**
 * How many things are filtered by, the text aside.
 * @param {Filter} filter
 */
export function countOf(filter) {
  return LISTS.reduce((sum, key) => sum + (filter[key]?.length ?? 0), 0) + Number(filter.first_seen_after !== undefined && filter.first_seen_after !== null) + Number(Boolean(filter.group));
}

/**
 * The filter in one sentence, for those who listen and for what is selected by it.
 * @param {Filter} filter
 */
export function filterSentence(filter) {
  const parts = [];
  if (filter.text) parts.push(`“${visible(filter.text, 60)}”`);
  for (const key of LISTS) for (const value of listOf(filter, key)) parts.push(valueWords(key, value));
  if (filter.first_seen_after !== undefined && filter.first_seen_after !== null) parts.push(words.filters.seen_after_short(filter.first_seen_after));
  if (filter.group) parts.push(words.filters.one_group);
  return parts.join(", ");
}

/**
 * @param {Inventory} inventory
 * @param {() => HTMLElement} back where the keyboard goes when a chip has gone
 * @returns {{ button: HTMLButtonElement, pop: HTMLElement, chips: HTMLElement, draw: () => void }}
 */
export function filters(inventory, back) {
  const badge = el("small", { class: "badge num", hidden: true });
  const button = el("button", { class: "b", type: "button", "data-test": "filter-menu" }, el("span", {}, words.filters.button), badge);
  const pop = el("div", { class: "pop filter-pop", popover: "auto", role: "dialog", "aria-label": words.filters.title, "data-test": "filters" });
  const chips = el("div", { class: "chips", role: "group", "aria-label": words.filters.on, "data-test": "chips", hidden: true });

  bind(button, pop, { fill });

  /** @param {Filter} next @param {string} said */
  function set(next, said) {
    inventory.setFilter(next);
    announce(said);
  }

  function fill() {
    const wait = el("p", { class: "soft" }, words.lists.loading);
    put(pop, wait);
    Promise.all([inventory.facets(), ask("snapshot_list", {}).catch(() => [])]).then(
      ([facets, snapshots]) => {
        const picture = inventory.picture;
        const c = picture?.changes;
        /** @type {Facet[]} */
        const changed = c ? [{ value: "new", grants: c.new }, { value: "widened", grants: c.widened }, { value: "narrowed", grants: c.narrowed }, { value: "altered", grants: c.altered }] : [];
        const widest = [...facets.levels].sort((a, b) => Number(b.value) - Number(a.value));
        put(
          pop,
          el(
            "div",
            { class: "filter-columns" },
            el("div", {}, section("client_types", facets.client_types), section("levels", widest), picker("apps")),
            el("div", {}, picture?.since ? section("changes", changed) : null, section("look_alikes", [{ value: "grouped", grants: -1 }, { value: "odd", grants: -1 }]), seenAfter(snapshots), section("statuses", facets.statuses), picker("members")),
            el("div", {}, section("roles", facets.roles), section("scopes", facets.scopes)),
          ),
          el("div", { class: "acts" }, clearButton("filters-clear")),
        );
        // It has grown since it was opened.
        place(button, pop, "start");
        const first = pop.querySelector("input");
        if (pop.contains(document.activeElement) || document.activeElement === document.body || document.activeElement === button) first?.focus();
      },
      () => put(pop, el("p", { class: "soft" }, words.filters.nothing)),
    );
  }

  /** @param {ListKey} key @param {Facet[]} facets */
  function section(key, facets) {
    const title = /** @type {Record<string, string>} */ (words.filters.sections)[key] ?? key;
    const on = listOf(inventory.filter, key);
    const missing = on.filter((value) => !facets.some((facet) => facet.value === value)).map((value) => ({ value, grants: 0 }));
    const all = [...facets, ...missing];
    if (all.length === 0) return null;
    const list = el("div", { class: "facets" });
    /** @param {string} sought */
    const draw = (sought) => {
      const fits = all.filter((facet) => facet.value.toLowerCase().includes(sought));
      put(list, ...fits.slice(0, SHOWN).map((facet) => {
        const box = el("input", { type: "checkbox", "data-test": `facet-${key}`, "data-value": facet.value });
        box.checked = listOf(inventory.filter, key).includes(facet.value);
        box.addEventListener("change", () => set(withValue(inventory.filter, key, facet.value, box.checked), `${title}: ${valueWords(key, facet.value)}, ${box.checked ? words.filters.put_on : words.filters.put_off}`));
        const label = key === "roles" || key === "scopes" ? named(facet.value, { limit: 60 }) : el("span", {}, valueWords(key, facet.value));
        return el("label", {}, box, label, facet.grants >= 0 ? el("small", { class: "num" }, words.number(facet.grants)) : null);
      }), fits.length > SHOWN ? el("p", { class: "soft" }, words.filters.more(fits.length - SHOWN)) : fits.length === 0 ? el("p", { class: "soft" }, words.filters.none) : null);
    };
    draw("");
    const out = el("fieldset", { class: key }, el("legend", {}, title));
    if (all.length > 10) {
      const search = el("input", { type: "search", class: "slim", "aria-label": words.filters.search(title), placeholder: words.filters.search(title), "data-test": `facet-search-${key}`, autocomplete: "off", spellcheck: "false" });
      search.addEventListener("input", () => draw(search.value.trim().toLowerCase()));
      out.append(search);
    }
    out.append(list);
    return out;
  }

  /**
   * Apps or members by name: there may be thousands, so a few are offered and the rest are found by typing.
   * @param {"apps" | "members"} key
   */
  function picker(key) {
    const title = words.filters.sections[key];
    const list = el("div", { class: "facets few" });
    const search = el("input", { type: "search", class: "slim", "aria-label": words.filters.search(title), placeholder: words.filters.search(title), "data-test": `facet-search-${key}`, autocomplete: "off", spellcheck: "false" });
    /** @typedef {{ id: string, name: string, beside: string, own: string, grants: number }} Offer */
    let turn = 0;
    let resting = 0;

    /** @param {string} text @returns {Promise<{ found: Offer[], matching: number }>} */
    async function look(text) {
      const order = text === "" ? { sort: /** @type {const} */ ("grants"), descending: true, count: OFFERED } : { sort: /** @type {const} */ ("name"), descending: false, count: LOOKED_AT };
      const query = { filter: text === "" ? {} : { text }, ...order, fold: false, offset: 0 };
      if (key === "apps") {
        const page = await ask("inventory_apps", { query });
        return { matching: page.matching, found: page.rows.map(({ app, grants }) => ({ id: app.connected_app_id, name: app.name, beside: "", own: `${app.name} ${app.connected_app_id}`, grants })) };
      }
      const page = await ask("inventory_members", { query });
      return { matching: page.matching, found: page.rows.map(({ face, grants }) => ({ id: face.member_id, name: memberName(face), beside: face.email ?? "", own: `${face.name ?? ""} ${face.email ?? ""} ${face.member_id}`, grants })) };
    }

    /** @param {Offer} offer */
    function line(offer) {
      const box = el("input", { type: "checkbox", "data-test": `facet-${key}`, "data-value": offer.id });
      box.checked = listOf(inventory.filter, key).includes(offer.id);
      box.addEventListener("change", () => {
        inventory.called.set(offer.id, offer.name);
        set(withValue(inventory.filter, key, offer.id, box.checked), `${title}: ${visible(offer.name, 60)}, ${box.checked ? words.filters.put_on : words.filters.put_off}`);
      });
      const label = el("span", { title: visible([offer.name, offer.beside, offer.id].filter((part) => part !== "").join(" · "), 200) }, named(offer.name, { limit: 60, title: false }), key === "apps" ? el("small", {}, " ", idTail(offer.id)) : null);
      return el("label", {}, box, label, offer.grants >= 0 ? el("small", { class: "num" }, words.number(offer.grants)) : null);
    }

    async function draw() {
      const mine = ++turn;
      const text = search.value.trim();
      const sought = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
      try {
        const { found, matching } = await look(text);
        if (mine !== turn) return;
        // The words may also have matched a scope or the other side of a grant; whose own name has them comes first.
        /** @param {Offer} offer */
        const own = (offer) => sought.every((word) => offer.own.toLowerCase().includes(word));
        const on = text === "" ? listOf(inventory.filter, key).map((id) => found.find((offer) => offer.id === id) ?? { id, name: inventory.called.get(id) ?? id, beside: "", own: "", grants: -1 }) : [];
        const offered = [...on, ...[...found.filter(own), ...found.filter((offer) => !own(offer))].filter((offer) => !on.some((one) => one.id === offer.id))].slice(0, Math.max(OFFERED, on.length));
        put(list, ...offered.map(line), matching > offered.length ? el("p", { class: "soft" }, words.filters.more(matching - offered.length)) : offered.length === 0 ? el("p", { class: "soft" }, words.filters.none) : null);
      } catch {
        if (mine === turn) put(list, el("p", { class: "soft" }, words.filters.nothing));
      }
    }

    search.addEventListener("input", () => {
      clearTimeout(resting);
      resting = window.setTimeout(draw, REST);
    });
    draw();
    return el("fieldset", { class: key }, el("legend", {}, title), search, list);
  }

  /** @param {import("../contract.js").SnapshotRow[]} snapshots */
  function seenAfter(snapshots) {
    if (snapshots.length === 0) return null;
    const id = unique("seen");
    const select = el("select", { id, "data-test": "first-seen-after" }, el("option", { value: "" }, words.filters.seen_any), ...[...snapshots].reverse().slice(0, 200).map((row) => el("option", { value: String(row.snapshot) }, words.filters.seen_option(row.snapshot, clock(row.read_at, { seconds: false })))));
    select.value = String(inventory.filter.first_seen_after ?? "");
    select.addEventListener("change", () => {
      const { first_seen_after: _, ...rest } = inventory.filter;
      set(select.value === "" ? rest : { ...rest, first_seen_after: Number(select.value) }, words.filters.sections.first_seen_after);
    });
    return el("fieldset", {}, el("legend", {}, el("label", { for: id }, words.filters.sections.first_seen_after)), select);
  }

  /** @param {string} key */
  function clearButton(key) {
    const clear = el("button", { class: "lnk", type: "button", "data-test": key }, words.filters.clear);
    clear.addEventListener("click", () => {
      if (pop.matches(":popover-open")) pop.hidePopover();
      set({}, words.filters.cleared);
      back().focus();
    });
    return clear;
  }

  /** @param {string} label @param {string} title @param {Filter} without @param {string} key @param {string} value */
  function chip(label, title, without, key, value) {
    const made = el("button", { class: "chip", type: "button", "data-test": "chip", "data-key": key, "data-value": value, "aria-label": words.filters.remove(title, label) }, el("span", {}, label), el("i", { "aria-hidden": "true" }, "×"));
    made.addEventListener("click", () => {
      const at = [...chips.querySelectorAll(".chip")].indexOf(made);
      set(without, words.filters.removed(label));
      const left = chips.querySelectorAll(".chip");
      const next = left[Math.min(at, left.length - 1)];
      (next instanceof HTMLElement ? next : back()).focus();
    });
    return made;
  }

  function draw() {
    const { filter } = inventory;
    const made = [];
    for (const key of LISTS) {
      const title = /** @type {Record<string, string>} */ (words.filters.sections)[key] ?? key;
      for (const value of listOf(filter, key)) made.push(chip(visible(inventory.called.get(value) ?? "", 60) || valueWords(key, value), title, withValue(filter, key, value, false), key, value));
    }
    if (filter.first_seen_after !== undefined && filter.first_seen_after !== null) {
      const { first_seen_after, ...rest } = filter;
      made.push(chip(words.filters.seen_after_short(first_seen_after), words.filters.sections.first_seen_after, rest, "first_seen_after", String(first_seen_after)));
    }
    if (filter.group) {
      const { group, ...rest } = filter;
      made.push(chip(words.filters.one_group, words.filters.sections.look_alikes, rest, "group", group));
    }
    const count = made.length;
    badge.hidden = count === 0;
    badge.textContent = words.number(count);
    button.setAttribute("aria-label", count === 0 ? words.filters.button : words.filters.button_n(count));
    chips.hidden = count === 0;
    put(chips, ...made, clearButton("filter-clear-all"));
  }
  draw();

  return { button, pop, chips, draw };
}
