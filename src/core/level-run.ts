// The levels of one depth message as FEED has read them, handed on inside a lane without a record each: a flyweight
// of its owner, valid during the call. It stands for one DepthDelta record per level (src/wire/level-records.ts writes
// them), numbered from `sequence` on, the last one ending the event.

export class LevelRun {
  /** Ticks and lots in turn, bids first. */
  values: Float64Array;
  /** Element of `values` where the first level lies. */
  at: number;
  bidCount: number;
  count: number;
  /** Levels of the whole message, of which these are the last `count`. */
  levelCount: number;
  instrument: number;
  /** Of the first level's record; they wrap in 32 bits. */
  sequence: number;
  exchTsNs: number;
  recvTsNs: number;
  updateIdLo: number;
  updateIdHi: number;

  constructor(values: Float64Array) {
    this.values = values;
    this.at = 0;
    this.bidCount = 0;
    this.count = 0;
    this.levelCount = 0;
    this.instrument = 0;
    this.sequence = 0;
    this.exchTsNs = 0.5;
    this.recvTsNs = 0.5;
    this.updateIdLo = 0.5;
    this.updateIdHi = 0.5;
  }
}
