// Job processes of a sweep: one task each at a time. A job that dies (out of memory, a fault in native code) fails its
// task, not the sweep, and is replaced. Cold.
import type { JobAnswer, JobSetup, JobTask } from "./job-protocol.ts";

export class Jobs {
  private readonly count: number;
  private readonly program: string;
  private readonly setup: JobSetup;
  private readonly children = new Set<Bun.Subprocess>();

  /** `program`: the job's file, which answers JobTask by JobAnswer. */
  constructor(count: number, program: string, setup: JobSetup) {
    this.count = count;
    this.program = program;
    this.setup = setup;
  }

  /** Runs all tasks; `done` is called in the order of completion. */
  async run<T>(
    tasks: readonly T[],
    taskOf: (task: T) => JobTask,
    done: (task: T, answer: JobAnswer) => void,
  ): Promise<void> {
    let next = 0;
    const work = async (): Promise<void> => {
      let job: Job | null = null;
      while (next < tasks.length) {
        const task = tasks[next++]!;
        job ??= this.start();
        const answer = await job.ask(taskOf(task));
        if (job.ended) job = null;
        done(task, answer);
      }
      job?.stop();
    };
    await Promise.all(Array.from({ length: Math.min(this.count, tasks.length) }, work));
  }

  /** Ends all jobs at once. */
  kill(): void {
    for (const child of this.children) child.kill("SIGKILL");
  }

  private start(): Job {
    return new Job(this.program, this.setup, this.children);
  }
}

class Job {
  ended = false;
  private readonly child: Bun.Subprocess;
  private resolve: ((answer: JobAnswer) => void) | null = null;

  constructor(program: string, setup: JobSetup, children: Set<Bun.Subprocess>) {
    const child = Bun.spawn([process.execPath, program, JSON.stringify(setup)], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      ipc: (message) => this.settle(message as JobAnswer),
      onExit: (_, code, signal) => {
        this.ended = true;
        children.delete(child);
        const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
        this.settle({ figures: null, seconds: 0, failure: `the job process ended with ${how}` });
      },
    });
    this.child = child;
    children.add(child);
  }

  ask(task: JobTask): Promise<JobAnswer> {
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.child.send(task);
    });
  }

  stop(): void {
    this.child.disconnect();
  }

  private settle(answer: JobAnswer): void {
    this.resolve?.(answer);
    this.resolve = null;
  }
}
