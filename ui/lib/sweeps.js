// The sweeps of many as the shell tells them, and how far the running one is. It asks and listens; a sweep goes on whether it does or not.

import { ask, channel } from "../bridge.js";

/** @typedef {import("../contract.js").Sweep} Sweep */
/** @typedef {import("../contract.js").SweepProgress} SweepProgress */
/** @typedef {import("../contract.js").Outcome} Outcome */
/** What has changed: the list, or how far the running one is. @typedef {"list" | "progress"} SweepNews */

/** Milliseconds between two looks at the counts of a running sweep: they are judged from its rows. */
const COUNT_EVERY = 1_500;

/** Outcomes that a later read has settled as gone. @type {readonly Outcome[]} */
export const GONE = ["revoked", "already_gone", "member_gone"];
/** What a new plan of the rest is made of: another request may help. @type {readonly Outcome[]} */
export const AGAIN = ["denied", "failed", "still_there", "hidden", "unknown"];

/** Grants of a sweep with one of these outcomes. @param {Sweep} sweep @param {readonly Outcome[]} outcomes */
export const counted = (sweep, outcomes) => sweep.outcomes.reduce((sum, one) => sum + (outcomes.includes(one.outcome) ? one.grants : 0), 0);

/** Whether somebody has to go on with it, or decide not to. @param {Sweep} sweep */
export const isOpen = (sweep) => ["interrupted", "paused", "session_ended", "halted", "canary_died"].includes(sweep.stand.state);

export class Sweeps {
  constructor() {
    /** @type {Sweep[]} */
    this.all = [];
    /** The one that is watched, and how far it is. @type {{ id: string, progress: SweepProgress | null } | null} */
    this.running = null;
    /** @type {Set<(what: SweepNews) => void>} */
    this.listeners = new Set();
    this.closed = false;
    this.countedAt = 0;
    /** The look that is under way. @type {Promise<void> | null} */
    this.looking = null;
  }

  /** @param {(what: SweepNews) => void} hear @returns {() => void} what ends it */
  listen(hear) {
    this.listeners.add(hear);
    return () => { this.listeners.delete(hear); };
  }

  close() {
    this.closed = true;
    this.listeners.clear();
  }

  /** @param {SweepNews} what */
  tell(what) {
    for (const hear of this.listeners) hear(what);
  }

  /** @param {string} id */
  one(id) {
    return this.all.find((sweep) => sweep.sweep_id === id) ?? null;
  }

  /** Asks for the list; whoever asks while one look is under way waits for that. */
  look() {
    this.looking ??= this.fetch().finally(() => { this.looking = null; });
    return this.looking;
  }

  async fetch() {
    const all = await ask("sweep_list", {});
    if (this.closed) return;
    this.all = all;
    this.countedAt = Date.now();
    const running = all.find((sweep) => sweep.stand.state === "running");
    if (running) this.watch(running.sweep_id);
    this.tell("list");
  }

  /** Takes in what a command answered. @param {Sweep} sweep */
  adopt(sweep) {
    this.all = [sweep, ...this.all.filter((one) => one.sweep_id !== sweep.sweep_id)].sort((a, b) => b.began_at.localeCompare(a.began_at));
    if (sweep.stand.state === "running") this.watch(sweep.sweep_id);
    this.tell("list");
  }

  /** Follows a running sweep until it rests. @param {string} id */
  async watch(id) {
    if (this.running?.id === id) return;
    const mine = { id, progress: /** @type {SweepProgress | null} */ (null) };
    this.running = mine;
    try {
      const rests = await ask("sweep_watch", {
        sweep_id: id,
        progress: channel((/** @type {SweepProgress} */ progress) => {
          if (this.running !== mine || this.closed) return;
          mine.progress = progress;
          this.tell("progress");
          if (Date.now() - this.countedAt > COUNT_EVERY) {
            this.countedAt = Date.now();
            this.look().catch(() => {});
          }
        }),
      });
      if (this.running === mine) this.running = null;
      if (!this.closed) this.adopt(rests);
    } catch {
      // The next look says what is wrong; a picture of progress that ends is no trouble of the sweep's.
      if (this.running === mine) this.running = null;
      this.tell("list");
    }
  }
}
