// The venue's time: CLOCK_REALTIME plus a skew that a fault can set. Journal times are CLOCK_MONOTONIC, which
// every process of the machine can compare.
import { monotonicNs } from "../../../ffi/host.ts";

export class VenueClock {
  skewMs = 0;

  nowMs(): number {
    return Date.now() + this.skewMs;
  }

  monotonicNs(): number {
    return monotonicNs();
  }
}
