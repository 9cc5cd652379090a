// Would WASM SIMD make a batch of factors faster? Columns of one step of document 2's graph (simple returns: a
// division and a subtraction per value, bit for bit the node's arithmetic) by f64x2 against a plain loop; and what
// share of a batch over event rows such steps have at all. docs/adr/0008 draws the conclusion.
import { join } from "node:path";
import { monotonicNs } from "../ffi/host.ts";
import { Prng } from "../src/core/prng.ts";
import { FactorGraph } from "../src/factor/graph.ts";
import { loadGraphFile } from "../src/factor/graph-toml.ts";
import type { Program } from "../src/factor/program.ts";
import { openBatch } from "../src/factor/update-batch.ts";
import { type Bench, figures, loopSide, type Side } from "./harness.ts";

const DATA = join(import.meta.dir, "../test/data/npz/btcusdt_200k.npz");
const EXAMPLE = join(import.meta.dir, "../config/graphs/obi_mm_factors.toml");
const VALUES = 4_096;
const OUT_BYTE = 8 * (VALUES + 2);

/** (module (memory 2) (func (param n)) …): out[i] = in[i + 1] / in[i] − 1 for pairs of i. */
const MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x01, 0x7f, 0x00], // type: (i32) → ()
  ...[0x03, 0x02, 0x01, 0x00], // function 0 of type 0
  ...[0x05, 0x03, 0x01, 0x00, 0x02], // memory: 2 pages
  ...[0x07, 0x0f, 0x02, 0x01, 0x6d, 0x02, 0x00, 0x07, 0x72, 0x65, 0x74, 0x75, 0x72, 0x6e, 0x73, 0x00, 0x00],
  ...codeSection(),
);

function codeSection(): number[] {
  const body = [
    ...[0x01, 0x01, 0x7f], // local $at i32
    ...[0x03, 0x40], // loop
    ...[0x20, 0x01], // address of the store
    ...[0x20, 0x01, 0xfd, 0x00, 0x03, 0x08], // v128.load offset 8
    ...[0x20, 0x01, 0xfd, 0x00, 0x03, 0x00], // v128.load offset 0
    ...[0xfd, 0xf3, 0x01], // f64x2.div
    ...[0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0xfd, 0x14], // f64x2.splat 1.0
    ...[0xfd, 0xf1, 0x01], // f64x2.sub
    ...[0xfd, 0x0b, 0x03, ...leb(OUT_BYTE)], // v128.store
    ...[0x20, 0x01, 0x41, 0x10, 0x6a, 0x22, 0x01], // $at += 16
    ...[0x20, 0x00, 0x49, 0x0d, 0x00], // br_if $at < n
    ...[0x0b, 0x0b],
  ];
  const section = [0x01, ...leb(body.length), ...body];
  return [0x0a, ...leb(section.length), ...section];
}

/** Unsigned LEB128. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

function columns(): { readonly simd: (ops: number) => number; readonly plain: (ops: number) => number } {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
  const memory = instance.exports["m"] as WebAssembly.Memory;
  const returns = instance.exports["returns"] as (bytes: number) => void;
  const x = new Float64Array(memory.buffer, 0, VALUES + 1);
  const out = new Float64Array(memory.buffer, OUT_BYTE, VALUES);
  const prng = new Prng(5);
  for (let i = 0; i < x.length; i++) x[i] = 60_000 + prng.nextBelow(1000) / 10;
  const sum = (): number => out.reduce((a, b) => a + b, 0);
  return {
    simd: (ops) => {
      for (let done = 0; done < ops; done += VALUES) returns(8 * VALUES);
      return sum();
    },
    plain: (ops) => {
      for (let done = 0; done < ops; done += VALUES)
        for (let i = 0; i < VALUES; i++) out[i] = x[i + 1]! / x[i]! - 1;
      return sum();
    },
  };
}

function batch(program: Program): Side {
  return {
    round() {
      let checksum = 0;
      const run = openBatch(program, [DATA], { tickSize: "0.1", lotSize: "0.001" }, (n) => {
        checksum += n;
      });
      const start = monotonicNs();
      while (run.step(1 << 18));
      const elapsed = monotonicNs() - start;
      run.close();
      return figures(Float64Array.of(elapsed / run.rowsRead()), run.rowsRead(), elapsed, checksum);
    },
  };
}

export const benches: readonly Bench[] = [
  {
    name: "factor.simd-column",
    question: "ns per value of a column of returns by WASM f64x2",
    unit: "ns",
    compare: "p50",
    sameChecksum: true,
    open: (size) => {
      const { simd, plain } = columns();
      const options = { opsPerSample: VALUES * 16, samples: size === "full" ? 200 : 4 };
      return {
        own: loopSide(simd, options),
        reference: { name: "plain loop over a Float64Array", ...loopSide(plain, options) },
      };
    },
  },
  {
    name: "factor.batch-share",
    question: "ns per event row of a batch with document 2's graph; the reference has the mid price alone",
    unit: "ns",
    compare: "mean",
    sameChecksum: true,
    warmUpRounds: 10,
    open: async () => {
      const mid = new FactorGraph("mid").addNode("m", "MidPrice").setOutput("m", "m").compile();
      return {
        own: batch(await loadGraphFile(EXAMPLE)),
        reference: { name: "the same rows without factors", ...batch(mid) },
      };
    },
  },
];
