// The script of the live status page; runs in the browser, imports only types. Text from the engine reaches the
// document through textContent alone. Rows and buttons are updated in place: a click that begins before an
// update still ends on the same button.
import type { StatusView } from "../../control/engine-control.ts";
import type { LiveState } from "../live-feed.ts";

const TOKEN_KEY = "hotlane.token";
const RETRY_MS = 1_000;
const STALE_MS = 2_000;
const NOTICE_MS = 12_000;
const US = 1_000;

type Tone = "" | "good" | "warn" | "bad";
interface Cell {
  readonly text: string;
  readonly tone?: Tone;
  readonly number?: boolean;
  /** Long text that may wrap. */
  readonly long?: boolean;
  /** Strategy that the cell's buttons are for. */
  readonly actionsFor?: string;
}

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const num = (text: string, tone: Tone = ""): Cell => ({ text, number: true, tone });
const cell = (text: string, tone: Tone = ""): Cell => ({ text, tone });
const time = (iso: string): string => iso.slice(11, 23);
const signTone = (text: string): Tone => (text.startsWith("-") ? "bad" : /[1-9]/.test(text) ? "good" : "");

function setText(node: HTMLElement, text: string, tone: Tone = ""): void {
  if (node.textContent !== text) node.textContent = text;
  for (const name of ["good", "warn", "bad"]) node.classList.toggle(name, name === tone);
}

/** Headings that start with ">" are right-aligned numbers. */
function draw(id: string, headings: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const table = byId<HTMLTableElement>(id);
  if (table.tHead === null) {
    const row = table.createTHead().insertRow();
    for (const heading of headings) {
      const th = document.createElement("th");
      th.scope = "col";
      th.textContent = heading.replace(">", "");
      th.classList.toggle("number", heading.startsWith(">"));
      row.append(th);
    }
    table.createTBody();
  }
  const body = table.tBodies[0]!;
  while (body.rows.length > Math.max(1, rows.length)) body.deleteRow(-1);
  if (rows.length === 0) drawCells(body.rows[0] ?? body.insertRow(), [cell("none")]);
  rows.forEach((cells, i) => {
    drawCells(body.rows[i] ?? body.insertRow(), cells);
  });
}

function drawCells(row: HTMLTableRowElement, cells: readonly Cell[]): void {
  while (row.cells.length > cells.length) row.deleteCell(-1);
  cells.forEach((content, i) => {
    const td = row.cells[i] ?? row.insertCell();
    td.classList.toggle("number", content.number === true);
    td.classList.toggle("text", content.long === true);
    if (content.actionsFor === undefined) setText(td, content.text, content.tone);
    else drawActions(td, content.actionsFor);
  });
}

function drawActions(td: HTMLTableCellElement, strategy: string): void {
  if (td.children.length === 0) {
    td.textContent = "";
    for (const command of ["pause", "resume", "stop"]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = command[0]!.toUpperCase() + command.slice(1);
      button.dataset["command"] = command;
      td.append(button);
    }
  }
  for (const button of td.querySelectorAll("button")) {
    button.dataset["strategy"] = strategy;
    button.setAttribute("aria-label", `${button.textContent} ${strategy}`);
  }
}

const FEED_TONES: Readonly<Record<string, Tone>> = { synced: "good", stale: "bad" };
const STRATEGY_TONES: Readonly<Record<string, Tone>> = { Running: "good", Error: "bad", Paused: "warn" };

function drawHeader({ status, health }: LiveState): void {
  const tone = health.ready ? "good" : health.live ? "warn" : "bad";
  const words = health.ready ? "ready" : health.live ? "not ready" : "not live";
  setText(byId("health"), [words, ...health.problems].join(" · "), tone);
  setText(byId("env"), status.env, status.env === "live" ? "bad" : "");
  setText(byId("kill"), `kill: ${status.kill.state}`, status.kill.state === "armed" ? "good" : "bad");
  setText(byId("storm"), `storm: ${status.storm}`, status.storm === "NORMAL" ? "good" : "warn");
  const minutes = Math.floor(status.uptimeS / 60);
  const uptime = `up ${Math.floor(minutes / 60)} h ${minutes % 60} min ${Math.floor(status.uptimeS % 60)} s`;
  setText(
    byId("session"),
    `${status.version} · session ${status.session} · ${uptime} · ${time(status.now)} UTC`,
  );
  document.title = `${status.kill.state === "armed" ? "" : "KILLED "}hotlane ${status.env}`;
}

function drawMarket({ instruments }: StatusView): void {
  draw(
    "instruments",
    ["Instrument", "Feed", "Reason", ">Age ms", ">Bid qty", ">Bid", ">Ask", ">Ask qty", ">Mark"],
    instruments.map((i) => [
      cell(`${i.instrument} ${i.venue}`),
      cell(i.feed, FEED_TONES[i.feed] ?? "warn"),
      cell(i.feedReason),
      num(i.feedAgeMs === null ? "–" : i.feedAgeMs.toFixed(0)),
      num(i.bid?.qty ?? "–"),
      num(i.bid?.price ?? "–", i.bid === null ? "" : "good"),
      num(i.ask?.price ?? "–", i.ask === null ? "" : "bad"),
      num(i.ask?.qty ?? "–"),
      num(i.markPrice ?? "–"),
    ]),
  );
  draw(
    "factors",
    ["Instrument", "Factor", ">Value"],
    instruments.flatMap((i) =>
      i.factors.map((f) => [
        cell(i.instrument),
        { text: f.name, long: true },
        num(f.value === null ? "not ready" : String(Number(f.value.toPrecision(7)))),
      ]),
    ),
  );
}

function drawStrategies({ strategies }: StatusView): void {
  const list = (values: Readonly<Record<string, string>>) =>
    Object.entries(values)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => `${name} ${value}`)
      .join(", ");
  draw(
    "strategies",
    ["Strategy", "State", "Reason", "Instruments", ">Orders", "Parameters", "Limits", ""],
    strategies.map((s) => [
      cell(s.name),
      cell(s.state, STRATEGY_TONES[s.state] ?? ""),
      { text: s.reason, long: true },
      cell(s.instruments.join(", ")),
      num(String(s.workingOrders)),
      { text: list(s.parameters), long: true },
      { text: list(s.limits), long: true },
      { text: "", actionsFor: s.name },
    ]),
  );
}

function drawTrading({ positions, pnl, orders, fills }: LiveState): void {
  draw(
    "positions",
    ["Strategy", "Instrument", ">Qty", ">Avg", ">Mark", ">Realized", ">Unrealized", ">Fees"],
    positions.map((p) => [
      cell(p.strategy),
      cell(p.instrument),
      num(p.qty, signTone(p.qty)),
      num(p.avgPrice ?? "–"),
      num(p.markPrice ?? "–"),
      num(p.realized, signTone(p.realized)),
      num(p.unrealized, signTone(p.unrealized)),
      num(p.fees),
    ]),
  );
  draw(
    "pnl",
    ["Currency", ">Realized", ">Unrealized", ">Fees", ">Funding", ">Net"],
    pnl.map((p) => [
      cell(p.currency),
      num(p.realized, signTone(p.realized)),
      num(p.unrealized, signTone(p.unrealized)),
      num(p.fees),
      num(p.funding, signTone(p.funding)),
      num(p.net, signTone(p.net)),
    ]),
  );
  setText(byId("order-count"), String(orders.length));
  draw(
    "orders",
    ["Strategy", "Instrument", "Side", ">Price", ">Qty", ">Leaves", "State", "Tif", "Client id", "Updated"],
    orders.map((o) => [
      cell(o.strategy),
      cell(o.instrument),
      cell(o.side, o.side === "buy" ? "good" : "bad"),
      num(o.price),
      num(o.qty),
      num(o.leavesQty),
      cell(o.state),
      cell(o.tif),
      cell(o.clientOrderId),
      cell(time(o.updatedAt)),
    ]),
  );
  draw(
    "fills",
    ["At", "Strategy", "Instrument", "Side", ">Price", ">Qty", ">Fee", ""],
    fills.map((f) => [
      cell(time(f.at)),
      cell(f.strategy),
      cell(f.instrument),
      cell(f.side, f.side === "buy" ? "good" : "bad"),
      num(f.price),
      num(f.qty),
      num(`${f.fee} ${f.feeCurrency}`),
      cell(`${f.maker ? "maker" : "taker"}${f.recovered ? " recovered" : ""}`),
    ]),
  );
}

function drawMachine({ status, latency }: LiveState): void {
  const us = (ns: number | null): Cell => num(ns === null ? "–" : (ns / US).toFixed(ns < 100 * US ? 2 : 0));
  draw(
    "latency",
    ["Stage", "Lane", ">p50", ">p99", ">p99.9", ">Max", ">Count"],
    latency.map((l) => [
      cell(l.name),
      cell(l.lane),
      us(l.p50Ns),
      us(l.p99Ns),
      us(l.p999Ns),
      us(l.maxNs),
      num(String(l.count)),
    ]),
  );
  draw(
    "lanes",
    ["Lane", "State", ">Cpu", "Wait", ">Heartbeat ms", ">Worst stall ms", ">Turns", ">GCs"],
    status.lanes.map((l) => [
      cell(l.name),
      cell(l.state, l.state === "failed" ? "bad" : l.state === "running" ? "good" : ""),
      num(l.cpu < 0 ? "any" : String(l.cpu)),
      cell(l.wait),
      num(l.heartbeatAgeMs.toFixed(1), l.heartbeatAgeMs > 1000 ? "bad" : ""),
      num((l.maxStallUs / US).toFixed(2)),
      num(String(l.turns)),
      num(String(l.gcCount)),
    ]),
  );
  const { journal, recorder } = status;
  draw(
    "journal",
    ["What", ">Value"],
    [
      [cell("log records"), num(String(journal.records))],
      [cell("log bytes"), num(String(journal.bytes))],
      [cell("not yet in the log, ms"), num((journal.unackedWindowUs / US).toFixed(2))],
      [cell("log state"), num(journal.failed ? "failed" : "good", journal.failed ? "bad" : "good")],
      [cell(`recorder ${recorder.target}, lag ms`), num(String(recorder.lagMs))],
      [cell("drops"), num(String(status.drops), status.drops > 0 ? "bad" : "good")],
      ...status.rings.map((r) => [cell(`ring ${r.name}`), num(`${r.depth} / ${r.capacity}`)]),
    ],
  );
}

let lastStateMs = 0;

function drawState(state: LiveState): void {
  lastStateMs = performance.now();
  byId("state").hidden = false;
  byId("state").classList.remove("stale");
  drawHeader(state);
  drawMarket(state.status);
  drawStrategies(state.status);
  drawTrading(state);
  drawMachine(state);
}

/** Old figures must not look alive. */
function watchStale(): void {
  if (performance.now() - lastStateMs < STALE_MS || byId("state").hidden) return;
  byId("state").classList.add("stale");
  setText(byId("health"), `no data for ${Math.round((performance.now() - lastStateMs) / 1000)} s`, "bad");
}

let noticeTimer = 0;

function notice(text: string, tone: Tone): void {
  const node = byId("notice");
  setText(node, text, tone);
  node.hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = window.setTimeout(() => {
    node.hidden = true;
  }, NOTICE_MS);
}

/** The fragment never reaches the server; it is taken out of the address bar and history at once. */
function takeToken(): string | null {
  const match = /[#&]token=([^&]+)/.exec(location.hash);
  if (match !== null) {
    sessionStorage.setItem(TOKEN_KEY, decodeURIComponent(match[1]!));
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(TOKEN_KEY);
}

const authorization = (): HeadersInit => ({
  authorization: `Bearer ${sessionStorage.getItem(TOKEN_KEY) ?? ""}`,
});

function askToken(why: string): void {
  if (why !== "") notice(why, "bad");
  setText(byId("health"), "not connected");
  sessionStorage.removeItem(TOKEN_KEY);
  byId("login").hidden = false;
  byId("state").hidden = true;
  byId("token").focus();
}

/** Resolves when the stream ended; false when the token is not one of this session. */
async function follow(): Promise<boolean> {
  const response = await fetch("/api/live", { headers: authorization() });
  if (response.status === 401) return false;
  if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
  byId("login").hidden = true;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return true;
    text += value;
    const events = text.split("\n\n");
    text = events.pop()!;
    const newest = events.findLast((event) => event.startsWith("event: state"));
    if (newest !== undefined) drawState(JSON.parse(newest.slice(newest.indexOf("data: ") + 6)) as LiveState);
  }
}

async function followForever(): Promise<void> {
  for (;;) {
    try {
      if (!(await follow())) {
        askToken("this token is not one of the running session");
        return;
      }
    } catch (error) {
      setText(byId("health"), `not connected (${(error as Error).message})`, "bad");
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function connect(): void {
  if (takeToken() === null) askToken("");
  else void followForever();
}

const QUESTIONS: Readonly<Record<string, string>> = {
  kill: "Kill: cancel everything and deny every order?",
  rearm: "Rearm: let strategies trade again?",
  stop: "Stop for good (until the next start)?",
};

/** Numbers the questions: `close` comes late, when the next question may already be open. */
let asked = 0;

function ask(title: string): Promise<string | null> {
  const question = ++asked;
  const dialog = byId<HTMLDialogElement>("confirm");
  const why = byId<HTMLInputElement>("why");
  byId("confirm-title").textContent = title;
  why.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  byId("confirm-yes").focus();
  return new Promise((resolve) => {
    const onClose = () => {
      const overtaken = question !== asked;
      if (!overtaken && dialog.open) return;
      dialog.removeEventListener("close", onClose);
      resolve(!overtaken && dialog.returnValue === "yes" ? why.value : null);
    };
    dialog.addEventListener("close", onClose);
  });
}

async function send(command: string, strategy: string | undefined): Promise<void> {
  const question = QUESTIONS[command];
  const why = question === undefined ? "" : await ask(`${question}${strategy ? ` (${strategy})` : ""}`);
  if (why === null) return;
  const body = { why, who: "page", ...(strategy === undefined ? {} : { strategy }) };
  try {
    const response = await fetch(`/api/${command}`, {
      method: "POST",
      headers: { ...authorization(), "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { message?: string; error?: { what: string } };
    notice(`${command}: ${answer.error?.what ?? answer.message ?? ""}`, response.ok ? "good" : "bad");
  } catch (error) {
    notice(`${command} was not sent: ${(error as Error).message}`, "bad");
  }
}

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLButtonElement>("button[data-command]");
  if (button !== null) void send(button.dataset["command"]!, button.dataset["strategy"]);
});
byId("confirm-back").addEventListener("click", () => byId<HTMLDialogElement>("confirm").close());
byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN_KEY, byId<HTMLInputElement>("token").value.trim());
  byId<HTMLInputElement>("token").value = "";
  connect();
});
window.addEventListener("hashchange", () => {
  if (location.hash.includes("token=")) location.reload();
});
setInterval(watchStale, 500);
connect();
