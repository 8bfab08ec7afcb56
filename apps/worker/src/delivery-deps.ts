import { readFileSync } from 'node:fs';
import { createEgressClient, type EgressClient } from '@hookstream/egress';
import type { AttemptDeps, AttemptReporter } from '@hookstream/activities';
import type { WorkerConfig } from '@hookstream/config';
import type { Logger } from '@hookstream/observability';
import { createWebhookSigner, parseKeyRing, SecretBox } from '@hookstream/signing';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Puts the real parts behind an attempt together, those that read and record it aside. */
export function deliveryDeps(
  config: WorkerConfig,
  egress: EgressClient,
  circuits: AttemptReporter,
  logger: Logger,
): AttemptDeps {
  const secretBox = createSecretBox(config);
  return {
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
