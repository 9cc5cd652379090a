// A progress line on a terminal: share done, speed, time left. Silent when the stream is not a terminal, so that logs
// and pipes stay clean. Cold: draws at most ten times a second.

const DRAW_MS = 100;
const WIDTH = 24;

export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class Progress {
  private done = 0;
  private readonly total: number;
  private readonly unit: string;
  private readonly out: ProgressOutput;
  private readonly nowMs: () => number;
  private readonly startedMs: number;
  private drawnMs = Number.NEGATIVE_INFINITY;

  /** `total` 0: not known, then only count and speed are shown. `already`: done before this run (a resumed one). */
  constructor(
    total: number,
    unit: string,
    out: ProgressOutput = process.stderr,
    nowMs = () => performance.now(),
  ) {
    this.total = total;
    this.unit = unit;
    this.out = out;
    this.nowMs = nowMs;
    this.startedMs = nowMs();
  }

  add(count: number): void {
    this.done += count;
    if (this.out.isTTY !== true) return;
    const now = this.nowMs();
    if (now - this.drawnMs < DRAW_MS) return;
    this.drawnMs = now;
    this.out.write(`\r${this.line(now)}\x1b[K`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.out.isTTY === true) this.out.write("\r\x1b[K");
  }

  private line(now: number): string {
    const seconds = Math.max(1e-3, (now - this.startedMs) / 1000);
    const rate = this.done / seconds;
    const speed = `${short(this.done)} ${this.unit}, ${short(rate)}/s`;
    if (this.total === 0) return speed;
    const share = Math.min(1, this.done / this.total);
    const bar = "█".repeat(Math.round(share * WIDTH)).padEnd(WIDTH, "░");
    const left = rate === 0 ? "" : `, ${clock((this.total - this.done) / rate)} left`;
    return `${bar} ${(share * 100).toFixed(0).padStart(3)} %  ${speed}${left}`;
  }
}

function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)} k`;
  return value >= 10 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
