// Queue position: how many market lots stand ahead of an own order at its price. The feed gives only the
// level's total, so what a shrinking level did to the front is a model. Models are stateless; the order table
// keeps `front` (lots ahead, may be fractional) and `traded` (lots traded there since the last depth change).

export interface QueueModel {
  /**
   * Lots ahead after the level went from `prevLots` to `nextLots`, of which `tradedLots` were trades that
   * already moved the front. 0 ≤ result ≤ nextLots.
   */
  frontAfterDepth(front: number, tradedLots: number, prevLots: number, nextLots: number): number;
}
