import { describe, expect, test } from "bun:test";
import { type CancelAccount, EmergencyCanceller } from "../../../src/engine/emergency-cancel.ts";

/** A venue with `open` orders, whose answers wait for `answer()` when `holds`. */
class Venue implements CancelAccount {
  open = 1;
  cancels = 0;
  looks = 0;
  holds = false;
  keepsOrders = false;
  private held: (() => void)[] = [];

  async cancelAll() {
    this.cancels++;
    if (!this.keepsOrders) this.open = 0;
    await this.turn();
    return { ok: true, value: null } as const;
  }

  async openOrders() {
    this.looks++;
    const seen = this.open;
    await this.turn();
    const order = { symbol: "X", orderId: "1", clientOrderId: "a", side: "BUY", status: "NEW", price: "1" };
    const rest = { quantity: "1", executedQuantity: "0", updateTimeMs: 0 };
    return { ok: true, value: Array.from({ length: seen }, () => ({ ...order, ...rest })) } as const;
  }

  answer(): void {
    for (const go of this.held.splice(0)) go();
  }

  private turn(): Promise<void> {
    return this.holds ? new Promise((go) => this.held.push(go)) : Promise.resolve();
  }
}

const options = (deadlineMs: number) => ({
  ...{ symbols: ["X"], deadlineMs },
  inFlight: () => 0,
});

describe("EmergencyCanceller", () => {
  test("is done when the venue shows nothing twice, with one cancel-all", async () => {
    const venue = new Venue();
    const report = await new EmergencyCanceller(venue).cancelUntilEmpty(options(1000));
    expect(report).toEqual({ proven: true, rounds: 2, error: "" });
    expect({ cancels: venue.cancels, looks: venue.looks }).toEqual({ cancels: 1, looks: 2 });
  });

  test("a second caller has its own deadline, whatever the first one's is", async () => {
    const venue = new Venue();
    venue.keepsOrders = true;
    const canceller = new EmergencyCanceller(venue);
    const first = canceller.cancelUntilEmpty(options(60_000));
    await Bun.sleep(20);
    const startedMs = performance.now();
    expect((await canceller.cancelUntilEmpty(options(80))).proven).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(1000);
    venue.keepsOrders = false;
    expect((await first).proven).toBe(true);
  });

  test("a second caller is not answered by looks that began before it asked", async () => {
    const venue = new Venue();
    const canceller = new EmergencyCanceller(venue);
    let placed = false;
    const second = Promise.withResolvers<{ proven: boolean }>();
    const first = canceller.cancelUntilEmpty({
      ...options(1000),
      inFlight: () => {
        // After the first empty look somebody places and asks: the second empty look must not count for both.
        if (!placed) {
          placed = true;
          venue.open = 1;
          venue.keepsOrders = true;
          void canceller.cancelUntilEmpty(options(100)).then(second.resolve);
        }
        return 0;
      },
    });
    expect((await second.promise).proven).toBe(false);
    venue.keepsOrders = false;
    expect((await first).proven).toBe(true);
  });

  test("a venue that does not answer holds nobody beyond the deadline", async () => {
    const venue = new Venue();
    venue.holds = true;
    const canceller = new EmergencyCanceller(venue);
    const report = await canceller.cancelUntilEmpty(options(50));
    expect(report).toEqual({ proven: false, rounds: 0, error: "the venue did not answer in time" });
    venue.holds = false;
    venue.answer();
    expect((await canceller.cancelUntilEmpty(options(1000))).proven).toBe(true);
  });

  test("nothing is proven while a place may still be under way", async () => {
    let inFlight = 3;
    const report = await new EmergencyCanceller(new Venue()).cancelUntilEmpty({
      ...options(1000),
      inFlight: () => Math.max(0, inFlight--),
    });
    expect(report).toMatchObject({ proven: true, rounds: 5 });
  });
});
