// All problems of a graph at once, each with its place. Cold.

export interface GraphProblem {
  readonly file: string;
  /** From 1; 0 = built from code. */
  readonly line: number;
  /** Node or output, "" = the graph. */
  readonly node: string;
  readonly message: string;
}

export function problemText(p: GraphProblem): string {
  const place = p.line > 0 ? `${p.file}:${p.line}` : p.file;
  return `${place}: ${p.node === "" ? "" : `node "${p.node}": `}${p.message}`;
}

export class GraphError extends Error {
  override readonly name = "GraphError";
  readonly problems: readonly GraphProblem[];

  constructor(problems: readonly GraphProblem[]) {
    super(problems.map(problemText).join("\n"));
    this.problems = problems;
  }
}
