// Rows as files of JSON lines, `<table>-<day>.jsonl`, for users without a database. Once each: a commit is the length
// of every file, and after a restart the files are cut back to it before the rows after it come again.
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Block } from "./block.ts";
import { blockRows } from "./block-rows.ts";
import { type RowStore, StoreFullError, type StoreOpened } from "./row-store.ts";

/** Length of each file, by name. */
type Lengths = Record<string, number>;

export class JsonlStore implements RowStore {
  readonly name = "jsonl";
  private readonly dir: string;
  private lengths: Lengths = {};
  private readonly touched = new Set<string>();

  constructor(dir: string) {
    this.dir = dir;
  }

  /** A directory that was emptied is another store: everything is written again. */
  async open(): Promise<StoreOpened> {
    mkdirSync(this.dir, { recursive: true });
    return { id: String(statSync(this.dir).ino), warnings: [] };
  }

  /** What is there beyond a commit was cut off: nothing comes twice. */
  async count(): Promise<number> {
    return 0;
  }

  async remove(): Promise<void> {}

  async heal(): Promise<void> {}

  async insert(block: Block): Promise<boolean> {
    const day = new Date(block.day * 86_400_000).toISOString().slice(0, 10);
    const name = `${block.table}-${day}.jsonl`;
    const at = this.lengths[name] ?? 0;
    const bytes = Buffer.from(
      blockRows(block)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(""),
    );
    const fd = openSync(join(this.dir, name), existsSync(join(this.dir, name)) ? "r+" : "w", 0o640);
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOSPC" || code === "EDQUOT") throw new StoreFullError(`${this.dir}: ${code}`);
      throw new Error(`${this.dir}/${name}: ${code ?? message}`);
    } finally {
      closeSync(fd);
    }
    this.lengths[name] = at + bytes.length;
    this.touched.add(name);
    return true;
  }

  async commit(): Promise<Lengths> {
    for (const name of this.touched) {
      const fd = openSync(join(this.dir, name), "r+");
      try {
        fdatasyncSync(fd);
      } finally {
        closeSync(fd);
      }
    }
    this.touched.clear();
    return { ...this.lengths };
  }

  /** null: nothing is known of what is there, which is put aside and not touched. */
  async rollback(committed: unknown): Promise<void> {
    const lengths = (committed ?? {}) as Lengths;
    for (const name of readdirSync(this.dir).filter((file) => file.endsWith(".jsonl"))) {
      const length = lengths[name] ?? 0;
      if (committed === null) renameSync(join(this.dir, name), join(this.dir, `${name}.${Date.now()}.old`));
      else if (length === 0) unlinkSync(join(this.dir, name));
      else if (statSync(join(this.dir, name)).size > length) truncateSync(join(this.dir, name), length);
    }
    this.lengths = { ...lengths };
  }

  async refill(): Promise<void> {}

  async close(): Promise<void> {}
}
