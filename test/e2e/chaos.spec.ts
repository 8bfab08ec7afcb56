// Real: an instance as npm start runs it with two more workers beside it, killed and stopped in parts while it delivers to receivers that
// misbehave. The short form of `npm run chaos`: every fault once or so, always in the same order.
import { ChaosRun } from '../chaos/chaos-run.js';
import { FAULT_KINDS } from '../chaos/faults/fault-plan.js';
import { ownEnvironment } from '../load/stage.js';

const SECONDS = 36;
const PAUSE_MS = 4_000;
const SEED = 20;
/** On a small machine that has other work as well, everything takes its time. */
const RATE_PERCENT = 40;
const TEST_MS = 300_000;

describe('chaos', () => {
  let run: ChaosRun;

  afterEach(() => run.close(), TEST_MS);

  it(
    'every promise is kept while processes die and stand still and receivers misbehave',
    async () => {
      const lines: string[] = [];
      run = new ChaosRun({
        seed: SEED,
        seconds: SECONDS,
        pauseMs: PAUSE_MS,
        kinds: FAULT_KINDS,
        ratePercent: RATE_PERCENT,
        env: ownEnvironment(process.env),
        say: (line) => void lines.push(line),
      });
      const { broken, happened, accepted, circuit, readiness } = await run.run();

      expect({ broken, log: broken.length > 0 ? lines : [] }).toEqual({ broken: [], log: [] });
      expect(new Set(happened.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS));
      expect(accepted).toBeGreaterThan(0);
      expect(circuit.probes).toBeGreaterThan(0);
      expect(readiness.notReady).toBeGreaterThan(0);
    },
    TEST_MS,
  );
});
