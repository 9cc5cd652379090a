// What EXECUTION writes in a backtest: nobody journals it. Denials are counted by code, because «why did it not
// trade» is the first question about a run. Hot: 0 bytes.
import { allocateRecordMemory, type RecordMemory, type RecordSink } from "../../core/record.ts";
import { DENY_NAMES } from "../../wire/codes.ts";
import { HEADER_KIND, KIND_RISK_DENIED, RISK_DENIED_DENY_CODE } from "../../wire/messages.gen.ts";

const SLOT = 0;

export class TallySink implements RecordSink {
  readonly memory: RecordMemory = allocateRecordMemory(1);
  /** Denied requests by DENY_… code. */
  readonly denied = new Float64Array(DENY_NAMES.length);
  records = 0;

  hasRoom(): boolean {
    return true;
  }

  tryClaim(): number {
    return SLOT;
  }

  commit(): void {
    this.records++;
    const { memory } = this;
    if (memory.u16[HEADER_KIND] === KIND_RISK_DENIED) this.denied[memory.u32[RISK_DENIED_DENY_CODE]!]!++;
  }

  publish(): void {}

  /** Names of deny codes with their counts, the commonest first. */
  get denials(): readonly (readonly [name: string, count: number])[] {
    return DENY_NAMES.map((name, code) => [name, this.denied[code]!] as const)
      .filter(([, count]) => count > 0)
      .sort((a, b) => b[1] - a[1]);
  }
}
