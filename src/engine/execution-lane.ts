// EXECUTION: strategies, gate, orders, ledger and the gateway. FACTOR's records come in order from a ring or a
// pipe; everything observed asynchronously passes the journaling pipe, so the journal holds it, with the
// number of FACTOR records before it, when the logic acts on it.
import type { RecordHandler, RecordMemory, RecordSink } from "../core/record.ts";
import { copyRecord } from "../core/record.ts";
import type { Agent } from "../lane/agent.ts";
import { BoardWriter } from "../lane/board.ts";
import { JournalSink } from "../lane/journal-sink.ts";
import { JournaledPipe, type SequenceSource } from "../lane/pipe.ts";
import { ClientIdEncoder } from "../order/client-id.ts";
import type { RingConsumer } from "../ring/spsc-ring.ts";
import { openKillWord } from "../risk/kill-word.ts";
import { ExecutionHandler } from "../strategy/execution-handler.ts";
import { loadStrategies } from "../strategy/load-strategy.ts";
import { BinanceGateway, newGatewayCounters } from "../venue/binance/gateway.ts";
import { credentialsFromEnvironment, credentialsFromFile } from "../venue/binance/credentials.ts";
import { BunWebSocketTransport } from "../venue/transport/bun-websocket.ts";
import { KILL_KILLED, LOG_ERROR, LOG_WARN, OBSERVED_KILL_WORD } from "../wire/codes.ts";
import { encodeObservation, encodeTimer, FLAG_END_OF_EVENT } from "../wire/messages.gen.ts";
import { linkOptions } from "./feed-lane.ts";
import type { LaneContext } from "./lane-host.ts";
import { STREAM_ORDERS, STREAM_TELEMETRY } from "./layout.ts";
import { NoticeTap } from "./notice-tap.ts";
import { COUNTERS } from "./telemetry-names.ts";
import { makeRest } from "./venue-access.ts";
