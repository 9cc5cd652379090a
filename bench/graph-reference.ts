// Document 2's graph as one would write it by hand: the same values from straight-line code over typed arrays, with plain
// running sums and none of the framework's arena, NaN rules, exactness or checkpoints. The reference of graph.obi_mm.
import type { InstrumentContext } from "../src/factor/context.ts";

const ALPHA_WINDOW = 100;
const RETURN_WINDOW = 60;
const MEAN_WINDOW = 1000;

export class HandWritten {
  private readonly context: InstrumentContext;
  private readonly band: number;
  private readonly obis = new Float64Array(ALPHA_WINDOW);
  private readonly returns = new Float64Array(RETURN_WINDOW);
  private readonly volatilities = new Float64Array(MEAN_WINDOW);
  private updates = 0;
  private obiAt = 0;
  private obiSum = 0;
  private obiSquares = 0;
  private mid = NaN;
  private returnAt = 0;
  private returnSum = 0;
  private returnSquares = 0;
  private volatilityAt = 0;
  private volatilitySum = 0;
  alpha = NaN;
  volatility = NaN;
  stopLoss = NaN;

  constructor(context: InstrumentContext) {
    this.context = context;
    this.band = context.book.addBand();
  }

  update(): void {
    const { book, midPx: mid, tickSize } = this.context;
    const n = this.updates++;
    if (mid !== this.mid)
      book.moveBand(this.band, Math.ceil((mid * 0.999) / tickSize), Math.floor((mid * 1.001) / tickSize));
    const bids = book.bandBidLots(this.band);
    const asks = book.bandAskLots(this.band);
    const obi = (bids - asks) / (bids + asks);
    const oldObi = this.obis[this.obiAt]!;
    this.obis[this.obiAt] = obi;
    this.obiAt = this.obiAt + 1 === ALPHA_WINDOW ? 0 : this.obiAt + 1;
    this.obiSum += obi - oldObi;
    this.obiSquares += obi * obi - oldObi * oldObi;
    if (n >= ALPHA_WINDOW - 1) {
      const mean = this.obiSum / ALPHA_WINDOW;
      this.alpha = (obi - mean) / Math.sqrt(this.obiSquares / ALPHA_WINDOW - mean * mean);
    }
    const change = mid / this.mid - 1;
    this.mid = mid;
    if (n > 0) this.onReturn(n, change);
  }

  private onReturn(n: number, change: number): void {
    const oldReturn = this.returns[this.returnAt]!;
    this.returns[this.returnAt] = change;
    this.returnAt = this.returnAt + 1 === RETURN_WINDOW ? 0 : this.returnAt + 1;
    this.returnSum += change - oldReturn;
    this.returnSquares += change * change - oldReturn * oldReturn;
    if (n < RETURN_WINDOW) return;
    const mean = this.returnSum / RETURN_WINDOW;
    const volatility = Math.sqrt(Math.max(this.returnSquares / RETURN_WINDOW - mean * mean, 0));
    this.volatility = volatility;
    const oldVolatility = this.volatilities[this.volatilityAt]!;
    this.volatilities[this.volatilityAt] = volatility;
    this.volatilityAt = this.volatilityAt + 1 === MEAN_WINDOW ? 0 : this.volatilityAt + 1;
    this.volatilitySum += volatility - oldVolatility;
    if (n < RETURN_WINDOW + MEAN_WINDOW - 1) return;
    const loud = volatility > (3 * this.volatilitySum) / MEAN_WINDOW;
    this.stopLoss = loud || Math.abs(change) > 3 * volatility ? 1 : 0;
  }
}
