// Order, trade and transaction ids pass 2^53 on purpose: a client that parses them into doubles is found out.
// Inside they are running numbers; the printed id is 9.1e15 + n, or 9.2e15 + n for transactions.

const DIGITS = 12;
const MODULUS = 10 ** DIGITS;

/** n → "9100" + n in 12 digits. */
export function idText(n: number): string {
  return `9100${String(n).padStart(DIGITS, "0")}`;
}

export function transactionText(n: number): string {
  return `9200${String(n).padStart(DIGITS, "0")}`;
}

/** Running number of a printed id, -1 when the text is not one of ours. */
export function idNumber(text: string): number {
  return /^9100\d{12}$/.test(text) ? Number(text.slice(4)) % MODULUS : -1;
}
