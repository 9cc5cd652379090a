// The expression language of `Expr` nodes: arithmetic, comparisons and calls of node types by their function
// name, e.g.  zscore(obi(0.001), 100) - 0.5 * ema(return(mid()), 20)
//
//   expression  comparison of sums of products of unary minus of
//   primary     number · duration (10s) · "text" · name (another node) · call · ( expression )
//   call        name(argument, …, parameter = literal): inputs first, then parameters in declared order
// Cold: parsed once at start.

export type Expression =
  | { readonly kind: "number"; readonly value: number; readonly at: number }
  | { readonly kind: "text"; readonly value: string; readonly at: number }
  | { readonly kind: "name"; readonly name: string; readonly at: number }
  | {
      readonly kind: "call";
      readonly fn: string;
      readonly args: readonly Expression[];
      readonly named: readonly { readonly name: string; readonly value: Expression }[];
      readonly at: number;
    };

export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
  /** Character index in the expression. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

interface Token {
  readonly kind: "number" | "duration" | "text" | "name" | "symbol" | "end";
  readonly text: string;
  readonly at: number;
}

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?(?:ns|us|ms|s|m|h|d)\b)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|"([^"]*)"|(<=|>=|[-+*/(),=<>]))/y;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let end = text.length;
  while (end > 0 && /\s/.test(text[end - 1]!)) end--;
  let at = 0;
  while (at < end) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) {
      const bad = at + /^\s*/.exec(text.slice(at))![0].length;
      throw new ExpressionError(`unexpected ${JSON.stringify(text[bad])}`, bad);
    }
    const start = at + /^\s*/.exec(match[0])![0].length;
    if (match[1] !== undefined) tokens.push({ kind: "duration", text: match[1], at: start });
    else if (match[2] !== undefined) tokens.push({ kind: "number", text: match[2], at: start });
    else if (match[3] !== undefined) tokens.push({ kind: "name", text: match[3], at: start });
    else if (match[4] !== undefined) tokens.push({ kind: "text", text: match[4], at: start });
    else tokens.push({ kind: "symbol", text: match[5]!, at: start });
    at = TOKEN.lastIndex;
  }
  tokens.push({ kind: "end", text: "the end", at: end });
  return tokens;
}

const COMPARISONS: Readonly<Record<string, string>> = { "<": "lt", ">": "gt", "<=": "le", ">=": "ge" };
const SUMS: Readonly<Record<string, string>> = { "+": "add", "-": "sub" };
const PRODUCTS: Readonly<Record<string, string>> = { "*": "mul", "/": "div" };
const MAX_DEPTH = 100;

class Parser {
  private readonly tokens: Token[];
  private next = 0;
  private depth = 0;

  constructor(text: string) {
    this.tokens = tokenize(text);
  }

  whole(): Expression {
    const result = this.expression();
    const rest = this.peek();
    if (rest.kind !== "end") throw new ExpressionError(`unexpected ${JSON.stringify(rest.text)}`, rest.at);
    return result;
  }

  private peek(): Token {
    return this.tokens[this.next]!;
  }

  private take(): Token {
    return this.tokens[this.next++]!;
  }

  private isSymbol(text: string): boolean {
    return this.peek().kind === "symbol" && this.peek().text === text;
  }

  private expect(text: string): void {
    const token = this.take();
    if (token.kind !== "symbol" || token.text !== text) {
      throw new ExpressionError(`expected "${text}", found ${JSON.stringify(token.text)}`, token.at);
    }
  }

  private expression(): Expression {
    if (++this.depth > MAX_DEPTH) throw new ExpressionError("nested too deeply", this.peek().at);
    const left = this.chain(PRODUCTS_OF_SUMS);
    this.depth--;
    return left;
  }

  /** Left-associative operators, loosest table first. */
  private chain(tables: readonly Readonly<Record<string, string>>[]): Expression {
    const table = tables[0];
    if (table === undefined) return this.unary();
    let left = this.chain(tables.slice(1));
    while (this.peek().kind === "symbol" && Object.hasOwn(table, this.peek().text)) {
      const operator = this.take();
      const right = this.chain(tables.slice(1));
      left = { kind: "call", fn: table[operator.text]!, args: [left, right], named: [], at: operator.at };
    }
    return left;
  }

  private unary(): Expression {
    if (!this.isSymbol("-")) return this.primary();
    const { at } = this.take();
    if (++this.depth > MAX_DEPTH) throw new ExpressionError("nested too deeply", at);
    const operand = this.unary();
    this.depth--;
    if (operand.kind === "number") return { ...operand, value: -operand.value, at };
    return { kind: "call", fn: "neg", args: [operand], named: [], at };
  }

  private primary(): Expression {
    const token = this.take();
    if (token.kind === "number") return { kind: "number", value: Number(token.text), at: token.at };
    if (token.kind === "text" || token.kind === "duration") {
      return { kind: "text", value: token.text, at: token.at };
    }
    if (token.kind === "name") {
      return this.isSymbol("(") ? this.call(token) : { kind: "name", name: token.text, at: token.at };
    }
    if (token.kind === "symbol" && token.text === "(") {
      const inner = this.expression();
      this.expect(")");
      return inner;
    }
    throw new ExpressionError(`expected a value, found ${JSON.stringify(token.text)}`, token.at);
  }

  private call(name: Token): Expression {
    this.expect("(");
    const args: Expression[] = [];
    const named: { name: string; value: Expression }[] = [];
    while (!this.isSymbol(")")) {
      const first = this.peek();
      if (first.kind === "name" && this.tokens[this.next + 1]!.text === "=") {
        this.next += 2;
        named.push({ name: first.text, value: this.expression() });
      } else if (named.length > 0) {
        throw new ExpressionError("a positional argument after a named one", first.at);
      } else args.push(this.expression());
      if (!this.isSymbol(")")) this.expect(",");
    }
    this.expect(")");
    return { kind: "call", fn: name.text, args, named, at: name.at };
  }
}

const PRODUCTS_OF_SUMS = [COMPARISONS, SUMS, PRODUCTS];

/** Throws ExpressionError with the position of the first fault. */
export function parseExpression(text: string): Expression {
  return new Parser(text).whole();
}
