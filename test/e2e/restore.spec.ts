// Real: Postgres, Temporal, API and worker as processes, a backup made under load in the ways of docs/self-hosting/backup.md, kill -9 of
// everything and all files deleted, Temporal's too, and a new site from the backup and the kept secrets. A receiver on loopback.
import { callApi } from './api-client.js';
import { deliveryThat, type DeliveryDetailObject } from './api-objects.js';
import { ArchiveBackup, DumpBackup, installedPostgres, type BackupWay } from './backup-ways.js';
import { LostSite } from './lost-site.js';
import type { InstallationOptions } from './installation.js';
import { TOKEN, type EndpointName } from './varied-deliveries.js';
import { eventually, type ReceivedRequest } from '@hookstream/testing';
import { Webhook } from 'standardwebhooks';

const START_MS = 300_000;
const TEST_MS = 120_000;
const programs = installedPostgres();

interface Case {
  name: string;
  /** Why it cannot run here. */
  missing?: string | undefined;
  way: (directory: string) => BackupWay;
  options: Partial<InstallationOptions>;
}

const CASES: Case[] = [
  {
    name: 'to the last archived segment of the log',
    way: (directory) => new ArchiveBackup(directory),
    options: {},
  },
  {
    name: 'from a dump',
    missing: programs === undefined ? 'SKIPPED: no Postgres with pg_dump is installed here' : undefined,
    way: (directory) => new DumpBackup(directory, programs ?? ''),
    options: programs === undefined ? {} : { postgresPrograms: programs },
  },
];

for (const { name, missing, way: open, options } of CASES) {
  (missing === undefined ? describe : describe.skip)(
    `everything lost and restored ${name}${missing ? ` (${missing})` : ''}`,
    () => {
      let lost: LostSite;

      beforeAll(async () => {
        lost = await LostSite.make();
        const way = open(lost.backups);
        await lost.backUpAndLose(way, options);
        await lost.restore(way);
      }, START_MS);
      afterAll(() => lost?.close(), TEST_MS);

      const after = (name: EndpointName): ReceivedRequest[] =>
        lost.receiver.requestsTo(`/${name}`).filter(({ receivedAt }) => receivedAt >= lost.restoredAt);
      const idOf = ({ headers }: ReceivedRequest): string => headers['webhook-id'] ?? '';

      it(
        'all that was accepted before the backup has arrived, and nothing is left unfinished',
        async () => {
          await lost.deliveries.untilSucceeded('good');
          const received = lost.receiver.webhookIds('/good');
          expect(lost.safe.length).toBeGreaterThan(0);
          expect(lost.safe.filter((id) => !received.has(id))).toEqual([]);
          for (const id of lost.safe)
            expect((await lost.deliveries.tenant.call('GET', `/events/${id}`)).status).toBe(200);
        },
        TEST_MS,
      );

      it('what came after the backup is not known any more', async () => {
        expect(lost.late.length).toBeGreaterThan(0);
        for (const id of lost.late)
          expect((await lost.deliveries.tenant.call('GET', `/events/${id}`)).status).toBe(404);
      });

      it(
        'retries go on where they were',
        async () => {
          await lost.deliveries.untilSucceeded('retrying');
          for (const id of await lost.deliveries.deliveriesOf('retrying')) {
            const { body } = await lost.deliveries.tenant.call<DeliveryDetailObject>(
              'GET',
              `/deliveries/${id}`,
            );
            const numbers = body.attempts.map(({ number }) => number).sort((a, b) => a - b);
            expect(numbers).toEqual(numbers.map((_, i) => i + 1));
            expect(numbers.length).toBeGreaterThan(1);
          }
          expect(after('retrying').map(idOf).sort()).toEqual(
            [...(lost.deliveries.events.get('retrying') ?? [])].sort(),
          );
        },
        TEST_MS,
      );

      it(
        'an open circuit probes when its time has come, closes, and lets go what waited',
        async () => {
          await lost.deliveries.untilSucceeded('down', TEST_MS);
          expect(await lost.deliveries.circuit()).toBe('closed');
          expect(new Set(after('down').map(idOf))).toEqual(new Set(lost.deliveries.events.get('down')));
        },
        TEST_MS,
      );

      it(
        'order is kept',
        async () => {
          await lost.deliveries.untilSucceeded('ordered');
          expect(after('ordered').map(idOf)).toEqual(lost.deliveries.events.get('ordered'));
        },
        TEST_MS,
      );

      it(
        'what is to go later goes later',
        async () => {
          await lost.deliveries.untilSucceeded('later');
          const requests = lost.receiver.requestsTo('/later');
          expect(new Set(requests.map(idOf))).toEqual(new Set(lost.deliveries.events.get('later')));
          for (const { receivedAt } of requests)
            expect(receivedAt).toBeGreaterThanOrEqual(lost.deliveries.deliverAt - 10);
        },
        TEST_MS,
      );

      it(
        'a paused endpoint is left alone until it is resumed',
        async () => {
          const path = `/endpoints/${lost.deliveries.endpoint('paused').id}`;
          await lost.deliveries.untilSucceeded('retrying');
          expect((await lost.deliveries.tenant.call('GET', path)).body).toMatchObject({ status: 'paused' });
          expect(lost.receiver.requestsTo('/paused')).toEqual([]);
          await lost.deliveries.tenant.call('POST', `${path}/resume`);
          await lost.deliveries.untilSucceeded('paused');
          expect(new Set(after('paused').map(idOf))).toEqual(new Set(lost.deliveries.events.get('paused')));
        },
        TEST_MS,
      );

      it(
        'dead letters are there and can be replayed',
        async () => {
          const [id = ''] = await lost.deliveries.deliveriesOf('dead');
          const before = after('dead').length;
          expect(await lost.deliveries.statuses('dead')).toEqual({ dead_letter: 4 });
          expect((await lost.deliveries.tenant.call('POST', `/deliveries/${id}/replay`)).status).toBe(202);
          const { attempts } = await deliveryThat(
            lost.deliveries.tenant,
            id,
            ({ status }) => status === 'succeeded',
          );
          expect(attempts.map(({ number }) => number).sort()).toEqual([1, 2]);
          expect(after('dead')).toHaveLength(before + 1);
        },
        TEST_MS,
      );

      it(
        'a replay of many goes on',
        async () => {
          expect(['counting', 'running']).toContain(await lost.deliveries.replay());
          await lost.deliveries.limit('replayed', null);
          await eventually(async () => (await lost.deliveries.replay()) === 'completed', {
            timeoutMs: TEST_MS,
          });
          await lost.deliveries.untilSucceeded('replayed');
          const times = (id: string): number =>
            lost.receiver.requestsTo('/replayed').filter((request) => idOf(request) === id).length;
          const counts = (lost.deliveries.events.get('replayed') ?? []).map(times);
          expect(counts.filter((count) => count < 2)).toEqual([]);
          expect(after('replayed').length).toBeGreaterThan(0);
        },
        TEST_MS,
      );

      it(
        'what was under way comes again under the same id; its secret and its headers open with the kept key',
        async () => {
          await lost.deliveries.untilSucceeded('good');
          const webhook = new Webhook(lost.deliveries.endpoint('good').secret);
          const again = after('good');
          expect(again.length).toBeGreaterThan(0);
          for (const request of again) {
            expect(lost.accepted.has(idOf(request))).toBe(true);
            expect(() => webhook.verify(request.body, request.headers)).not.toThrow();
            expect(request.headers['x-receiver-token']).toBe(TOKEN);
          }
        },
        TEST_MS,
      );

      it('API keys are what they were, and so is what they have said once', async () => {
        const { api_url } = lost.deliveries.tenant.file;
        expect((await lost.deliveries.tenant.call('GET', '/endpoints')).status).toBe(200);
        expect(
          (await callApi({ api_url, api_key: lost.deliveries.revokedKey }, 'GET', '/endpoints')).status,
        ).toBe(401);
        expect(await lost.deliveries.postIdempotent()).toBe(lost.deliveries.idempotent.id);
      });
    },
  );
}
