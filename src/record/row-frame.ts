// What every row has in common: the batch it goes to, the session whose integers it holds, the record it came from.
// One for all handlers of a RowWriter.
import { Batch, BlockPool, type Columns } from "./batch.ts";
import type { InstrumentUnits, SessionUnits } from "./session-units.ts";
import type { TableName } from "./tables.ts";

export class RowFrame {
  /** WAL position of the record at hand. */
  position = 0;
  private readonly pool = new BlockPool();
  private batch = new Batch(this.pool);
  private session: SessionUnits | null = null;

  /** Records of this session follow. */
  startSession(units: SessionUnits): void {
    this.session = units;
  }

  get units(): SessionUnits {
    return this.session!;
  }

  /** A new row in the day of `sessionNs`, the time that the table is partitioned by. Every column must be put once. */
  row(table: TableName, sessionNs: number): Columns {
    return this.batch.row(table, this.session!.day(sessionNs));
  }

  /** The columns that every row ends with. */
  end(c: Columns, position: number = this.position): void {
    c["session"]!.string(this.session!.session);
    c["wal_position"]!.long(position);
  }

  /** The same with the instrument's venue before them. */
  endAt(c: Columns, of: InstrumentUnits, position: number = this.position): void {
    c["venue"]!.string(of.venue);
    this.end(c, position);
  }

  /** The rows since the last call. */
  take(): Batch {
    const { batch } = this;
    this.batch = new Batch(this.pool);
    return batch;
  }

  /** The store has them: their memory serves the batches to come. */
  recycle(batch: Batch): void {
    this.pool.give(batch.blocks);
  }
}
