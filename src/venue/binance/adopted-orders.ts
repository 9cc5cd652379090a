// Orders that this session did not place and takes in: those of nobody under the policy `adopt` (house holds them),
// and those that the session before has kept for its strategies. Each has a number of its own (FIRST_ADOPTED_SEQ …),
// so that it counts in limits and is cancelled with everything else; toward the venue it keeps its order id.
// Hot (find): execution lane; 0 bytes; O(adopted orders, mostly none).
import { FIRST_ADOPTED_SEQ } from "../../order/client-id.ts";
import { HOUSE } from "../../order/ledger.ts";
import { AsciiText } from "./ascii-writer.ts";
import { twoU32 } from "./sync-query.ts";

/** More than this many are not taken in. */
export const ADOPTED_MOST = 1024;
const NONE = 0;

export class AdoptedOrders {
  count: number;
  private readonly clientSeq: Float64Array;
  private readonly idLo: Float64Array;
  private readonly idHi: Float64Array;
  private readonly strategy: Uint16Array;
  private readonly digits: string[];
  private readonly texts: AsciiText[];
  private next: number;

  constructor() {
    this.count = 0;
    this.clientSeq = new Float64Array(ADOPTED_MOST);
    this.idLo = new Float64Array(ADOPTED_MOST);
    this.idHi = new Float64Array(ADOPTED_MOST);
    this.strategy = new Uint16Array(ADOPTED_MOST);
    this.digits = new Array<string>(ADOPTED_MOST).fill("");
    this.texts = new Array<AsciiText>(ADOPTED_MOST).fill(new AsciiText(""));
    this.next = FIRST_ADOPTED_SEQ;
  }

  /** Number of the order with this venue id; NONE (0) when it is not adopted. */
  find(idLo: number, idHi: number): number {
    for (let k = 0; k < this.count; k++)
      if (this.idLo[k] === idLo && this.idHi[k] === idHi) return this.clientSeq[k]!;
    return NONE;
  }

  /** Takes the order in for a strategy, or returns the number it has; NONE when there is no room. Cold. */
  adopt(orderId: string, strategy: number): number {
    const { lo, hi } = twoU32(orderId);
    const known = this.find(lo, hi);
    if (known !== NONE || this.count === ADOPTED_MOST) return known;
    const k = this.count++;
    this.clientSeq[k] = this.next++;
    this.idLo[k] = lo;
    this.idHi[k] = hi;
    this.strategy[k] = strategy;
    this.digits[k] = orderId;
    this.texts[k] = new AsciiText(orderId);
    return this.clientSeq[k]!;
  }

  /** It is over. */
  forget(clientSeq: number): void {
    const k = this.indexOf(clientSeq);
    if (k < 0) return;
    const last = --this.count;
    this.clientSeq[k] = this.clientSeq[last]!;
    this.idLo[k] = this.idLo[last]!;
    this.idHi[k] = this.idHi[last]!;
    this.strategy[k] = this.strategy[last]!;
    this.digits[k] = this.digits[last]!;
    this.texts[k] = this.texts[last]!;
  }

  /** Whose it is; house for a number that is not held. */
  strategyOf(clientSeq: number): number {
    const k = this.indexOf(clientSeq);
    return k < 0 ? HOUSE : this.strategy[k]!;
  }

  /** Venue order id for the request encoder; null for a number that is not held. */
  textOf(clientSeq: number): AsciiText | null {
    const k = this.indexOf(clientSeq);
    return k < 0 ? null : this.texts[k]!;
  }

  /** Venue order id, decimal digits; "" for a number that is not held. */
  orderIdOf(clientSeq: number): string {
    const k = this.indexOf(clientSeq);
    return k < 0 ? "" : this.digits[k]!;
  }

  private indexOf(clientSeq: number): number {
    for (let k = 0; k < this.count; k++) if (this.clientSeq[k] === clientSeq) return k;
    return -1;
  }
}
