// Records in, columns out: the outputs of one graph at every trigger, in blocks of columns. The handler is the
// live one; only its sink differs. 0 bytes per trigger.
import { allocateRecordMemory, type RecordMemory, type RecordSink } from "../core/record.ts";
import {
  HEADER_RECV_TS_NS,
  KIND_SIGNAL,
  SIGNAL_COUNT,
  SIGNAL_FIRST_INDEX,
  SIGNAL_VALUE0,
} from "../wire/messages.gen.ts";

/** Called with a full block and at the end: `rows` valid rows in each column. Columns are reused. */
export type ColumnsHandler = (rows: number, tsNs: Float64Array, columns: readonly Float64Array[]) => void;

export class ColumnSink implements RecordSink {
  readonly memory: RecordMemory;
  private readonly ts: Float64Array;
  private readonly columns: readonly Float64Array[];
  private readonly onColumns: ColumnsHandler;
  private readonly firstIndex: number;
  private rows: number;

  /** `outputs` columns whose Signal indexes start at `firstIndex`; blocks of `blockRows` triggers. */
  constructor(outputs: number, blockRows: number, onColumns: ColumnsHandler, firstIndex = 0) {
    this.memory = allocateRecordMemory(1);
    this.ts = new Float64Array(blockRows);
    this.columns = Array.from({ length: outputs }, () => new Float64Array(blockRows));
    this.onColumns = onColumns;
    this.firstIndex = firstIndex;
    this.rows = 0;
  }

  hasRoom(): boolean {
    return true;
  }

  tryClaim(): number {
    return 0;
  }

  commit(): void {
    const m = this.memory;
    if (m.u16[0] !== KIND_SIGNAL) return;
    const first = m.u32[SIGNAL_FIRST_INDEX]! - this.firstIndex;
    const count = m.u32[SIGNAL_COUNT]!;
    if (first < 0 || first + count > this.columns.length) return;
    for (let k = 0; k < count; k++) this.columns[first + k]![this.rows] = m.f64[SIGNAL_VALUE0 + k]!;
    if (first + count < this.columns.length) return;
    this.ts[this.rows] = m.f64[HEADER_RECV_TS_NS]!;
    this.rows++;
    if (this.rows === this.ts.length) this.flush();
  }

  publish(): void {}

  /** Hands over what has been collected. */
  flush(): void {
    if (this.rows > 0) this.onColumns(this.rows, this.ts, this.columns);
    this.rows = 0;
  }
}
