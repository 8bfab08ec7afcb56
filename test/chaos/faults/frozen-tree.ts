import { processTree } from '../../load/report/process-usage.js';

/** Processes that stand still (SIGSTOP): they keep their sockets and memory and answer nothing. */
export class FrozenTree {
  private readonly pids: number[] = [];

  private constructor() {}

  /** Stops a process and all its descendants, those included that it starts meanwhile. */
  static freeze(pid: number): FrozenTree {
    const tree = new FrozenTree();
    // The parent first: it starts no more. What it started between two looks shows in the second.
    for (let look = 0; look < 3; look++) {
      for (const one of processTree(pid)) if (!tree.pids.includes(one)) tree.stop(one);
    }
    return tree;
  }

  get size(): number {
    return this.pids.length;
  }

  /** Lets them go on. May be called again. */
  thaw(): void {
    for (const pid of this.pids.splice(0)) send(pid, 'SIGCONT');
  }

  private stop(pid: number): void {
    if (send(pid, 'SIGSTOP')) this.pids.push(pid);
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
