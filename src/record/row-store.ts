// Where rows go: a ClickHouse server (ours or the user's) or files. One block of rows is in it whole or not at all.
import type { Block } from "./block.ts";

/** Which rows a block holds, and the name under which it is known when it comes again. */
export interface BlockOrigin {
  readonly session: string;
  /** WAL positions, from inclusive, to exclusive. */
  readonly first: number;
  readonly end: number;
  readonly token: string;
}

export interface StoreOpened {
  /** Tells this store from an empty successor. */
  readonly id: string;
  /** What an operator must know of it, in words. */
  readonly warnings: readonly string[];
}

export interface RowStore {
  /** For people: "embedded", a URL without secrets, "jsonl". */
  readonly name: string;
  /** Ready to take rows, its schema up to date. */
  open(): Promise<StoreOpened>;
  /** The number of rows that are there of this origin. */
  count(block: Block, origin: BlockOrigin): Promise<number>;
  /** Takes out what is there of this origin. */
  remove(block: Block, origin: BlockOrigin): Promise<void>;
  /**
   * `inDoubt`: it may have been tried before. False: the rows are in, but what is derived from them may have them twice
   * (see refill).
   */
  insert(block: Block, origin: BlockOrigin, inDoubt: boolean): Promise<boolean>;
  /** A block whose rows are there, from an insert that may have been cut short: what is derived from them follows. */
  heal(block: Block, origin: BlockOrigin): Promise<void>;
  /** Everything inserted so far stays, whatever happens. Returns what a restart must know. */
  commit(): Promise<unknown>;
  /** Goes back to a commit: what came after it comes again. */
  rollback(committed: unknown): Promise<void>;
  /** Brings what is derived from the rows up to date after rows of the past were put in. */
  refill(): Promise<void>;
  close(): Promise<void>;
}

/** The store is out of disk: nothing is lost, the WAL keeps it. */
export class StoreFullError extends Error {}
/** Trying again cannot help before somebody changes something. */
export class StoreRefusedError extends Error {}
