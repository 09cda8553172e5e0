// The inventory as the page knows it: where it stands, how far a reading is, what is filtered and what is selected. Facts and
// rules only; the rows stay with the shell.

import { ask, channel, refusalOf } from "../bridge.js";
import { words } from "../words/en.js";
import { announce } from "./dom.js";

/** @typedef {import("../contract.js").InventoryStatus} InventoryStatus */
/** @typedef {import("../contract.js").PictureFacts} PictureFacts */
/** @typedef {import("../contract.js").ReadingProgress} ReadingProgress */
/** @typedef {import("../contract.js").Filter} Filter */
/** @typedef {import("../contract.js").Facets} Facets */
/** @typedef {import("../bridge.js").AnyRefusal} AnyRefusal */
/** What has changed: the picture, how far a reading is, or the filter. @typedef {"picture" | "reading" | "filter"} What */

/** A picture older than this is read anew on entering, and says how old it is. */
export const OLD = 10 * 60_000;
/** Milliseconds between two looks at a reading. */
const LOOK = 1000;

/** The parts of a filter that are lists. @typedef {"apps" | "client_types" | "members" | "roles" | "statuses" | "scopes" | "levels" | "changes" | "look_alikes"} ListKey */
/** @type {ListKey[]} */
export const LISTS = ["client_types", "levels", "changes", "look_alikes", "scopes", "roles", "statuses", "apps", "members"];

/**
 * A filter without what says nothing, so that two that mean the same are the same text.
 * @param {Filter} filter
 * @returns {Filter}
 */
export function plainFilter(filter) {
  /** @type {Filter} */
  const out = {};
  const text = filter.text?.trim();
  if (text) out.text = text;
  for (const key of LISTS) {
    const list = filter[key];
    if (list && list.length > 0) /** @type {any} */ (out)[key] = [...list].sort();
  }
  if (filter.first_seen_after !== undefined && filter.first_seen_after !== null) out.first_seen_after = filter.first_seen_after;
  if (filter.group) out.group = filter.group;
  return out;
}

/** @param {Filter} filter */
export const filterKey = (filter) => {
  const key = JSON.stringify(plainFilter(filter));
  return key === "{}" ? "" : key;
};

export class Inventory {
  constructor() {
    /** @type {InventoryStatus | null} */
    this.status = null;
    /** @type {ReadingProgress | null} */
    this.reading = null;
    /** Why the last reading, or the last look, brought nothing. @type {AnyRefusal | null} */
    this.trouble = null;
    /** @type {Filter} */
    this.filter = {};
    /** @type {Facets | null} */
    this.known = null;
    /** What the apps and members that were chosen to filter by are called, by id. @type {Map<string, string>} */
    this.called = new Map();
    // A reading that this page began tells by itself how far it is; another one has to be looked at.
    this.ours = false;
    this.closed = false;
    /** @type {Set<(what: What) => void>} */
    this.listeners = new Set();
    this.pulse = 0;
    /** What of it was seen last, so that a look that brings nothing new moves nothing. */
    this.seen = "";
  }

  /** @returns {PictureFacts | null} */
  get picture() {
    return this.status?.picture ?? null;
  }

  /** @param {(what: What) => void} listener */
  listen(listener) {
    this.listeners.add(listener);
  }

  /** @param {What} what */
  tell(what) {
    if (this.closed) return;
    for (const listener of this.listeners) listener(what);
  }

  /** Ends with the frame: nothing is looked at any more. */
  close() {
    this.closed = true;
    clearTimeout(this.pulse);
    this.listeners.clear();
  }

  /** @param {InventoryStatus} status */
  adopt(status) {
    if (this.closed) return;
    this.status = status;
    if (!this.ours) this.reading = status.reading;
    const picture = status.picture;
    const seen = picture ? JSON.stringify({ ...picture, missing: picture.missing.length, snapshots: status.snapshots }) : "";
    if (seen !== this.seen) {
      this.seen = seen;
      this.known = null;
      this.tell("picture");
    }
    this.tell("reading");
  }

  /** Looks at where it stands, and goes on looking while a reading is under way. */
  async look() {
    clearTimeout(this.pulse);
    if (this.closed) return;
    try {
      const status = await ask("inventory_status", {});
      if (this.trouble && !this.ours && this.status === null) this.trouble = null;
      this.adopt(status);
    } catch (thrown) {
      if (this.status === null) this.trouble = refusalOf(thrown);
      this.tell("reading");
    }
    this.goOn();
  }

  goOn() {
    clearTimeout(this.pulse);
    if (this.closed) return;
    // A reading of our own tells how far it is; only what a first one has brought so far has to be looked at.
    const unseen = this.ours ? this.picture === null || this.picture.source === "under_way" : this.reading !== null;
    if (unseen) this.pulse = window.setTimeout(() => this.look(), LOOK);
  }

  /** Somebody who is signed in has come: reads when nothing is there, or nothing fresh. */
  async enter() {
    await this.look();
    if (this.closed || this.reading || this.ours || this.status === null) return;
    const picture = this.picture;
    if (!picture || picture.source !== "read" || Date.now() - new Date(picture.read_at).getTime() > OLD) await this.read();
  }

  /** Reads it all. What is shown stays until the answer is there. */
  async read() {
    if (this.ours || this.reading || this.closed) return;
    this.ours = true;
    this.trouble = null;
    this.reading = { began_at: new Date().toISOString(), calls: 0, calls_expected: null, apps: null, apps_done: 0, members: 0, grants: 0, left_ms: null, waiting_until: null };
    this.tell("reading");
    this.goOn();
    try {
      const progress = channel((/** @type {ReadingProgress} */ step) => {
        if (!this.ours) return;
        this.reading = step;
        this.tell("reading");
      });
      const status = await ask("inventory_read", { progress });
      this.ours = false;
      this.adopt(status);
    } catch (thrown) {
      this.ours = false;
      this.reading = null;
      const refusal = refusalOf(thrown);
      // Another window reads already: that is no trouble, it is looked at. Nor is a reading that somebody stopped.
      if (refusal.kind !== "busy" && refusal.kind !== "cancelled") this.trouble = refusal;
      await this.look();
      if (refusal.kind === "cancelled") announce(this.picture ? words.inventory.stopped : words.inventory.stopped_first);
    }
    this.tell("reading");
    this.goOn();
  }

  async cancel() {
    try {
      await ask("inventory_cancel", {});
    } catch (thrown) {
      this.trouble = refusalOf(thrown);
    }
    await this.look();
  }

  /** @param {Filter} filter */
  setFilter(filter) {
    const plain = plainFilter(filter);
    if (filterKey(plain) === filterKey(this.filter)) return;
    this.filter = plain;
    this.tell("filter");
  }

  /** What can be chosen, asked for once in each picture. @returns {Promise<Facets>} */
  async facets() {
    if (!this.known) this.known = await ask("inventory_facets", {});
    return this.known;
  }
}
