// What a lane runs. An agent feeds handlers from rings, timers or sockets; it knows nothing of waiting,
// threads or other agents (Agrona's Agent).

export interface Agent {
  readonly name: string;
  /**
   * One bounded round of work, without blocking. Returns how many units were done; 0 lets the lane idle.
   * Throws only for a broken invariant: that ends the lane.
   */
  doWork(): number;
  /**
   * The last look before the lane sleeps: must read the true cursors (RingConsumer.availableNow() > 0).
   * Agents without it are asked by doWork() alone.
   */
  hasWork?(): boolean;
  /** On the lane's thread, before the first doWork. */
  onStart?(): void;
  /** On the lane's thread, after the last doWork. */
  onClose?(): void;
}
