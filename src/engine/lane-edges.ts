// Where a lane touches the world: sockets, REST, the kill word. Live lanes have the real ones; the warm-up
// builds the same lanes with ends that lead nowhere. Cold; plain functions.
import { type KillWord, openKillWord } from "../risk/kill-word.ts";
import { BinanceRest, type RestOptions } from "../venue/binance/rest.ts";
import type { Transport, TransportHandler } from "../venue/contract.ts";
import { BunWebSocketTransport } from "../venue/transport/bun-websocket.ts";

export interface LaneEdges {
  connect(handler: TransportHandler, nowNs: () => number): Transport;
  makeRest(options: RestOptions): BinanceRest;
  openKillWord(dataDir: string): KillWord;
  /** False: a limit that is hit sets no kill word and says nothing. */
  readonly isLive: boolean;
}

export const LIVE_EDGES: LaneEdges = {
  connect: (handler, nowNs) => new BunWebSocketTransport(handler, nowNs),
  makeRest: (options) => new BinanceRest(options),
  openKillWord,
  isLive: true,
};
