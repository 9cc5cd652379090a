// The rows of one stretch of WAL, by table and day: what goes to the store in one go.
import { Block, type ColumnBuffer } from "./columns.ts";
import type { SessionUnits } from "./session-units.ts";
import { TABLES, type TableName } from "./tables.ts";

export type Columns = Readonly<Record<string, ColumnBuffer>>;

export class Batch {
  readonly blocks: Block[] = [];
  private readonly last = new Map<TableName, Block>();
  /** Rows that the batch before had, by table: room that this one will need. */
  private readonly usual: ReadonlyMap<string, number>;

  constructor(before?: Batch) {
    this.usual = new Map((before?.blocks ?? []).map((block) => [block.table, block.rows]));
  }

  /** A new row of the table in the day of its partition; every column must then be put once. */
  row(table: TableName, day: number): Columns {
    let block = this.last.get(table);
    if (block === undefined || block.day !== day) {
      block = this.blocks.find((b) => b.table === table && b.day === day);
      if (block === undefined) {
        block = new Block(TABLES[table], day, this.usual.get(table) ?? 0);
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

  get bytes(): number {
    return this.blocks.reduce((sum, b) => sum + b.bytes, 0);
  }
}

/** The columns that every row ends with. */
export function origin(c: Columns, units: SessionUnits, position: number): void {
  c["session"]!.string(units.session);
  c["wal_position"]!.long(position);
}
