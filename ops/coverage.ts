// Reads the table that `bun test --coverage` printed and fails when the line coverage of src is too low.
// Usage: bun ops/coverage.ts OUTPUT_FILE MIN_PERCENT. Code that runs only in workers or in a child process
// is not counted by Bun, so its entry files are left out; their logic is tested in process.
const [file, minimum] = Bun.argv.slice(2);
const table = await Bun.file(file!).text();

const OUTSIDE = /^src\/(cli\/|wire\/messages\.gen)/;
let total = 0;
let covered = 0;
const rows: { path: string; percent: number }[] = [];
for (const line of table.split("\n")) {
  const cells = line.split("|").map((cell) => cell.trim());
  const path = cells[0] ?? "";
  if (!path.startsWith("src/") || OUTSIDE.test(path)) continue;
  const source = Bun.file(path);
  if (!(await source.exists())) continue;
  const lines = (await source.text()).split("\n").length;
  const percent = Number(cells[2]);
  rows.push({ path, percent });
  total += lines;
  covered += (lines * percent) / 100;
}
const percent = total === 0 ? 0 : (100 * covered) / total;
for (const row of rows.sort((a, b) => a.percent - b.percent).slice(0, 15)) {
  console.log(`${row.percent.toFixed(1).padStart(6)} %  ${row.path}`);
}
console.log(`line coverage of src: ${percent.toFixed(1)} % over ${rows.length} files (minimum ${minimum} %)`);
process.exit(rows.length > 0 && percent >= Number(minimum) ? 0 : 1);
