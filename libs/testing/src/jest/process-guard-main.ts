import { stopByIdentity, type ProcessIdentity } from '@hookstream/embedded';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const directory = process.argv[2] as string;
const watched: ProcessIdentity[] = [];
let dismissed = false;

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'dismiss') dismissed = true;
  else watched.push(JSON.parse(line) as ProcessIdentity);
}

// Standard input has ended: the process that held it is gone.
if (!dismissed) {
  await Promise.allSettled(
    watched.map((identity) =>
      stopByIdentity(identity, [
        { signal: 'SIGQUIT', waitMs: 3_000 },
        { signal: 'SIGKILL', waitMs: 5_000, group: true },
      ]),
    ),
  );
  rmSync(directory, { recursive: true, force: true });
}
