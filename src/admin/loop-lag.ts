// How late the main thread's timers run: the lag that the API, the supervisor and the kill-word poll share.
// Samples five times a second; a busy main shows up here before anything misbehaves.
import { gauge, histogramSample, type MetricFamily } from "../control/metric-families.ts";
import { Histogram } from "../core/histogram.ts";

const SAMPLE_MS = 200;
const NS_PER_MS = 1e6;

export class LoopLag {
  private readonly lag = new Histogram();
  private timer: ReturnType<typeof setInterval> | null = null;
  private expectedMs = 0;

  start(): void {
    this.expectedMs = performance.now() + SAMPLE_MS;
    this.timer = setInterval(() => this.sample(performance.now()), SAMPLE_MS);
    this.timer.unref();
  }

  /** One tick at `nowMs`; anything later than the timer promised is lag. */
  sample(nowMs: number): void {
    this.lag.record(Math.max(0, nowMs - this.expectedMs) * NS_PER_MS);
    this.expectedMs = nowMs + SAMPLE_MS;
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  families(): MetricFamily[] {
    return [
      {
        name: "hotlane_main_loop_lag_seconds",
        help: "How late the main thread's timers ran.",
        type: "histogram",
        samples: [histogramSample(this.lag.snapshot(), {})],
      },
      gauge("process_resident_memory_bytes", "Resident memory of the whole process.", [
        [{}, process.memoryUsage.rss()],
      ]),
    ];
  }
}
