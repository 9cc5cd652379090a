// The rows of one stretch of WAL, by table and day: what goes to the store in one go. Blocks are taken from a pool and
// go back to it when the store has them, so that a recorder that catches up allocates nothing per batch.
import { Block } from "./block.ts";
import type { ColumnBuffer } from "./columns.ts";
import { TABLES, type TableName } from "./tables.ts";

export type Columns = Readonly<Record<string, ColumnBuffer>>;

export class BlockPool {
  private readonly free = new Map<TableName, Block[]>();

  take(table: TableName, day: number): Block {
    const block = this.free.get(table)?.pop() ?? new Block(TABLES[table]);
    block.begin(day);
    return block;
  }

  give(blocks: readonly Block[]): void {
    for (const block of blocks) {
      const table = block.table as TableName;
      const free = this.free.get(table);
      if (free === undefined) this.free.set(table, [block]);
      else free.push(block);
    }
  }
}

export class Batch {
  readonly blocks: Block[] = [];
  private readonly last = new Map<TableName, Block>();
  private readonly pool: BlockPool;

  constructor(pool: BlockPool = new BlockPool()) {
    this.pool = pool;
  }

  /** A new row of the table in the day of its partition; every column must then be put once. */
  row(table: TableName, day: number): Columns {
    let block = this.last.get(table);
    if (block === undefined || block.day !== day) {
      block = this.blocks.find((b) => b.table === table && b.day === day);
      if (block === undefined) {
        block = this.pool.take(table, day);
        this.blocks.push(block);
      }
      this.last.set(table, block);
    }
    block.rows++;
    return block.columns;
  }

  get rows(): number {
    return this.blocks.reduce((sum, b) => sum + b.rows, 0);
  }
}
