// Decimals and steps of prices and quantities, as the scanners and encoders of hot lanes need them.
import { parseDecimal } from "../../core/decimal.ts";
import type { Instrument } from "../../market/instrument.ts";

export class ScaleTable {
  /** Decimals of a tick and of a lot; units of the last decimal in one of them. */
  readonly pxDecimals: Int32Array;
  readonly pxStep: Float64Array;
  readonly qtyDecimals: Int32Array;
  readonly qtyStep: Float64Array;

  /** Indexed by the instrument's id, or by its place in the list. */
  constructor(instruments: readonly Instrument[], indexOf: "id" | "place") {
    const at = (i: Instrument, place: number): number => (indexOf === "id" ? i.id : place);
    const size = instruments.reduce((most, i, place) => Math.max(most, at(i, place)), 0) + 1;
    this.pxDecimals = new Int32Array(size);
    this.pxStep = new Float64Array(size);
    this.qtyDecimals = new Int32Array(size);
    this.qtyStep = new Float64Array(size);
    instruments.forEach((i, place) => {
      const tick = parseDecimal(i.tickSize);
      const lot = parseDecimal(i.lotSize);
      const k = at(i, place);
      this.pxDecimals[k] = tick.decimals;
      this.pxStep[k] = Number(tick.units);
      this.qtyDecimals[k] = lot.decimals;
      this.qtyStep[k] = Number(lot.units);
    });
  }
}
