import { MaintenanceRepository, type Database, type EncryptedValue } from '@hookstream/persistence';
import { keyIdOf, parseKeyRing, SecretBox } from '@hookstream/signing';
import type { ReadableSettings } from './examine.js';
import { failed, looked, ok, skipped, someOf, warning, type Finding } from './finding.js';

/** Of each kind: enough to find a wrong key, and a bound for the cost of looking. */
const VALUES_LOOKED_AT = 1_000;

/** Whether the keys open what is stored. */
export async function examineKeys(
  database: Pick<Database, 'pool'>,
  { worker }: ReadableSettings,
): Promise<Finding[]> {
  if (worker === undefined)
    return [skipped('encryption keys', 'the settings of the worker are not sound, or not looked at')];
  return [
    await looked('encryption keys', async () => {
      const maintenance = new MaintenanceRepository(database.pool);
      const values = [
        ...(await maintenance.encryptedValues('secret', null, VALUES_LOOKED_AT)),
        ...(await maintenance.encryptedValues('headers', null, VALUES_LOOKED_AT)),
      ];
      return judge(values, new SecretBox(parseKeyRing(worker.encryptionKeys)));
    }),
  ];
}

function judge(values: readonly EncryptedValue[], box: SecretBox): Finding {
  const closed = values.filter((value) => !opens(value, box));
  if (closed.length > 0) {
    const ids = [...new Set(closed.map(({ ciphertext }) => keyIdOf(ciphertext)))];
    return failed(
      'encryption keys',
      `${closed.length} of ${values.length} stored secrets cannot be opened; they are under ${someOf(ids)}, the first key given is ${box.currentKeyId}`,
      'Put the key that they were stored under back into the list of HOOKSTREAM_ENCRYPTION_KEY, behind the first. A key is named by the first 8 hex digits of the SHA-256 of its bytes.',
    );
  }
  const stale = values.filter(({ ciphertext }) => box.isStale(ciphertext)).length;
  if (stale > 0)
    return warning(
      'encryption keys',
      `${stale} of ${values.length} stored secrets are under an older key`,
      'Keep the older key in the list until maintenance has written them anew; npx hookstream retention run does it now.',
    );
  return ok(
    'encryption keys',
    values.length === 0 ? 'nothing is stored under them yet' : `open all of ${values.length} stored secrets`,
  );
}

function opens({ ciphertext, endpointId }: EncryptedValue, box: SecretBox): boolean {
  try {
    box.decrypt(ciphertext, endpointId);
    return true;
  } catch {
    return false;
  }
}
