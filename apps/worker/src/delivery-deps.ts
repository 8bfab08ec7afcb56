import { readFileSync } from 'node:fs';
import { createEgressClient, type EgressClient } from '@hookstream/egress';
import type { AttemptReporter, DeliveryActivityDeps } from '@hookstream/activities';
import type { WorkerConfig } from '@hookstream/config';
import type { Logger } from '@hookstream/observability';
import { AttemptsRepository, type Database } from '@hookstream/persistence';
import { createWebhookSigner, parseKeyRing, SecretBox } from '@hookstream/signing';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Puts the real parts behind an attempt together. */
export function deliveryDeps(
  config: WorkerConfig,
  database: Database,
  egress: EgressClient,
  circuits: AttemptReporter,
  logger: Logger,
): DeliveryActivityDeps {
  const secretBox = createSecretBox(config);
  return {
    attempts: new AttemptsRepository(database.pool),
    egress,
    circuits,
    decrypt: (ciphertext, endpointId) => secretBox.decrypt(ciphertext, endpointId),
    signer: createWebhookSigner(),
    logger,
    userAgent: `Hookstream/${version}`,
    retryAfterCapMs: config.retryAfterCapMs,
    now: Date.now,
    random: Math.random,
  };
}

export function createEgress(config: WorkerConfig): EgressClient {
  return createEgressClient(config.egress);
}

export function createSecretBox(config: Pick<WorkerConfig, 'encryptionKeys'>): SecretBox {
  return new SecretBox(parseKeyRing(config.encryptionKeys));
}
