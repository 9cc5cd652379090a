// ctl as a child process against the real server in another child process. The whole file takes about 8 s:
// every test starts a process or two.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processStartTicks, runFilePath, writeRunFile } from "../../src/control/run-file.ts";
import { KILL_EMERGENCY, KILL_KILLED } from "../../src/wire/codes.ts";

const ROOT = join(import.meta.dir, "../..");
let dir = "";
let host: Bun.Subprocess<"ignore", "pipe", "inherit"> | null = null;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-ctl-"));
});
afterEach(async () => {
  host?.kill("SIGKILL");
  await host?.exited;
  host = null;
  rmSync(dir, { recursive: true, force: true });
});

async function startHost(): Promise<void> {
  const entry = join(ROOT, "test/e2e/admin-host.ts");
  host = Bun.spawn([process.execPath, entry, dir], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  await host.stdout.getReader().read();
}

async function ctl(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = [process.execPath, join(ROOT, "src/cli/ctl.ts"), ...args, "--data-dir", dir];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

const killWord = (): number => new Int32Array(readFileSync(join(dir, "kill")).buffer, 0, 1)[0]!;
const auditText = (): string => readFileSync(join(dir, "audit.jsonl"), "utf8");

test("the reading commands print tables, and JSON with --json, with nothing that steers a terminal", async () => {
  await startHost();
  const status = await ctl("status");
  expect([status.code, status.err]).toEqual([0, ""]);
  for (const text of ["env sim", "kill word armed", "BTCUSDT", "61234.5", "maker", "Running", "execution"])
    expect(status.out).toContain(text);
  expect(JSON.parse((await ctl("status", "--json")).out).strategies).toHaveLength(2);
  expect((await ctl("orders", "--all", "--limit", "5")).out.trim().split("\n")).toHaveLength(6);
  expect((await ctl("orders", "--strategy", "maker")).out).not.toContain("h0-clocked-0");
  expect((await ctl("fills")).out).toContain("61230.1");
  expect((await ctl("positions")).out).toMatch(/-0\.004[\s\S]*by currency[\s\S]*1\.2199/);
  expect((await ctl("latency")).out).toContain("tickToOrder");
  const why = await ctl("why", "maker");
  expect(why.out).toContain("priceBand");
  expect(why.out.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  expect((await ctl("top", "--count", "1")).out).toContain("strategies");
}, 20_000);

test("the commands act, say what changed, and leave an audit line with the operator's name", async () => {
  await startHost();
  const pause = await ctl("pause", "maker", "--keep", "--why", "lunch");
  expect([pause.code, pause.out]).toEqual([0, expect.stringContaining("ok: maker: done (now Paused)")]);
  expect((await ctl("resume")).code).toBe(0);
  expect((await ctl("stop", "clocked", "--json")).out).toContain('"after":{"clocked":"Stopped"}');
  const set = await ctl("set", "maker", "halfSpread=2.5", "mode=improve");
  expect(set.out).toContain("after  halfSpread=2.5 levels=1 postOnly=true mode=improve");
  expect((await ctl("set", "maker")).out).toMatch(/halfSpread +2\.5 +1\.5 +decimal/);
  expect((await ctl("limits", "maker", "maxPosition=0.01")).code).toBe(0);
  expect((await ctl("cancel-all")).code).toBe(0);
  expect((await ctl("emergency", "--close")).out).toContain("emergency");
  expect((await ctl("resume")).code).toBe(1);
  expect((await ctl("rearm")).code).toBe(0);
  expect(auditText()).toMatch(/"command":"pause".*"who":"api:ctl:[^"]+".*"why":"lunch".*"ok":true/);
}, 20_000);

test("wrong usage ends with 2 and says what was expected", async () => {
  await startHost();
  const cases: [string[], string][] = [
    [[], "no command"],
    [["dance"], 'no command "dance"'],
    [["why"], "a strategy is missing"],
    [["status", "now"], "too many arguments"],
    [["status", "--colour"], "--colour"],
    [["status", "--env", "prod"], "expected sim, paper, live"],
    [["set", "maker", "halfSpread"], "expected NAME=VALUE"],
    [["set", "maker", "halfSpread=9"], "expected decimal in 0.1 … 5, step 0.1, bps"],
    [["pause", "nobody"], "nobody"],
    [["why", "nobody"], "a name listed by /api/status"],
    [["kill", "maker"], "NOTHING WAS KILLED"],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await ctl(...args);
    expect([args, code]).toEqual([args, 2]);
    expect(out + err).toContain(message);
  }
  expect(existsSync(join(dir, "kill"))).toBe(false);
}, 20_000);

test("kill stores the word, then the engine confirms", async () => {
  await startHost();
  const { code, out } = await ctl("kill", "--why", "drill");
  expect([code, killWord()]).toEqual([0, KILL_KILLED]);
  expect(out).toStartWith("killed, confirmed\n");
  expect(out).toContain("(was armed)");
  expect((await ctl("status")).out).toMatch(/kill word KILLED since .* \(drill\)/);
  expect(auditText()).toMatch(/"command":"kill".*"who":"ctl:[^"]+".*"message":"kill word stored by ctl"/);
}, 20_000);

test("kill over an unconfirmed cancel ends with 4", async () => {
  await startHost();
  host!.kill("SIGUSR2");
  const { code, out } = await ctl("kill", "--json");
  expect(code).toBe(4);
  expect(JSON.parse(out)).toMatchObject({ stored: true, confirmed: false, ordersMayBeWorking: true });
}, 20_000);

test("kill works on a stopped process: the word is stored, the exit code is 4", async () => {
  await startHost();
  host!.kill("SIGSTOP");
  const { code, out } = await ctl("kill", "--timeout", "1");
  expect([code, killWord()]).toEqual([4, KILL_KILLED]);
  expect(out).toContain("ORDERS MAY BE WORKING");
  host!.kill("SIGCONT");
}, 20_000);

test("kill works after the process is gone, replaces an emergency, and other commands say it is gone", async () => {
  await startHost();
  host!.kill("SIGKILL");
  await host!.exited;
  const page = new Int32Array(1024);
  page[0] = KILL_EMERGENCY;
  writeFileSync(join(dir, "kill"), page);
  const kill = await ctl("kill");
  expect([kill.code, killWord()]).toEqual([4, KILL_KILLED]);
  expect(kill.out).toContain("(was emergency)");
  expect(kill.out).toContain("is gone");
  const status = await ctl("status");
  expect([status.code, status.err]).toEqual([4, expect.stringContaining("gone without having said goodbye")]);
}, 20_000);

test("a damaged kill file is reported, and never believed to be a kill", async () => {
  writeFileSync(join(dir, "kill"), "not a kill word");
  const { code, out } = await ctl("kill", "--json");
  expect([code, JSON.parse(out).stored]).toEqual([4, false]);
  await startHost();
  const told = await ctl("kill");
  expect([told.code, told.out]).toEqual([0, expect.stringContaining("COULD NOT BE STORED")]);
  expect((await ctl("status")).out).toContain("KILLED");
}, 20_000);

test("without an instance kill still stores the word, and a mistyped directory is not created", async () => {
  const idle = await ctl("kill");
  expect([idle.code, killWord()]).toEqual([0, KILL_KILLED]);
  expect(idle.out).toContain("the next start begins killed");
  const status = await ctl("status");
  expect([status.code, status.err]).toEqual([1, expect.stringContaining("no instance runs here")]);
  rmSync(dir, { recursive: true });
  const mistyped = await ctl("kill");
  expect([mistyped.code, existsSync(dir)]).toEqual([2, false]);
  expect(mistyped.err).toContain("NOTHING WAS KILLED");
}, 20_000);

test("an instance whose API does not answer is reported as such", async () => {
  const common = { host: "127.0.0.1", port: 1, token: "t", readToken: "r", env: "sim", dataDir: dir };
  const startTicks = processStartTicks(process.pid)!;
  writeRunFile({ ...common, pid: process.pid, startedAt: new Date().toISOString(), startTicks });
  const { code, err } = await ctl("status");
  expect([code, err]).toEqual([1, expect.stringContaining("`ctl kill` works all the same")]);
  expect((await ctl("kill")).code).toBe(4);
}, 20_000);

test("shutdown waits for the end of the process, which takes run.json away", async () => {
  await startHost();
  const { code, out } = await ctl("shutdown", "--keep", "--why", "upgrade");
  expect([code, out]).toEqual([0, expect.stringContaining("orders stay")]);
  expect(existsSync(runFilePath(dir))).toBe(false);
  expect(await host!.exited).toBe(0);
}, 20_000);
