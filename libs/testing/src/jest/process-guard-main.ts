import { stopByIdentity, type ProcessIdentity, type StopStep } from '@hookstream/embedded';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

interface Watched {
  identity: ProcessIdentity;
  steps?: StopStep[];
}

const AT_ONCE: StopStep[] = [
  { signal: 'SIGQUIT', waitMs: 3_000 },
  { signal: 'SIGKILL', waitMs: 5_000, group: true },
];

const directory = process.argv[2] as string;
const watched: Watched[] = [];
let dismissed = false;

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'dismiss') dismissed = true;
  else watched.push(JSON.parse(line) as Watched);
}

// Standard input has ended: the process that held it is gone.
if (!dismissed) {
  await Promise.allSettled(watched.map(({ identity, steps }) => stopByIdentity(identity, steps ?? AT_ONCE)));
  rmSync(directory, { recursive: true, force: true });
}
