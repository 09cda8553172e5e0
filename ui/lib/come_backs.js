// What has come back, as the shell tells it, and how it watches. It asks and listens; the watching is the shell's.

import { ask } from "../bridge.js";

/** @typedef {import("../contract.js").ComeBack} ComeBack */
/** @typedef {import("../contract.js").Watch} Watch */

/** Come-backs asked for at once. */
const WINDOW = 1000;

export class ComeBacks {
  constructor() {
    /** As many as are looked through at once. @type {ComeBack[]} */
    this.rows = [];
    this.total = 0;
    /** @type {Watch | null} */
    this.watch = null;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.closed = false;
  }

  /** @param {() => void} hear */
  listen(hear) {
    this.listeners.add(hear);
    return () => { this.listeners.delete(hear); };
  }

  close() {
    this.closed = true;
    this.listeners.clear();
  }

  async look() {
    const page = await ask("come_back_list", { offset: 0, count: WINDOW });
    if (this.closed) return;
    this.rows = page.rows;
    this.total = page.total;
    this.watch = page.watch;
    for (const hear of this.listeners) hear();
  }

  /** Lists these no more. @param {ComeBack[]} rows */
  async dismiss(rows) {
    for (const row of rows) await ask("come_back_dismiss", { id: row.id });
    await this.look();
  }
}

/** The different apps that are listed now. @param {ComeBack[]} rows */
export const appsOf = (rows) => [...new Map(rows.map((row) => [row.app.connected_app_id, row.app])).values()];
/** How many different members they are of. @param {ComeBack[]} rows */
export const membersOf = (rows) => new Set(rows.map((row) => row.member.member_id)).size;
