import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DomainError } from '@hookstream/domain';
import { ENCRYPTION_KEY_SETTING, type EncryptionKey, type KeyRing } from './key-ring.js';

/*
 * Envelope: version (1 byte) ‖ key id (4) ‖ nonce (12) ‖ tag (16) ‖ ciphertext.
 * Version and key id are authenticated with the owner's id, so that no part of a row can be moved to another.
 */
const VERSION = 1;
const KEY_ID_END = 5;
const NONCE_BYTES = 12;
const NONCE_END = KEY_ID_END + NONCE_BYTES;
const TAG_BYTES = 16;
const TAG_END = NONCE_END + TAG_BYTES;
const CIPHER = 'aes-256-gcm';

/** Encrypts secrets at rest with AES-256-GCM under a ring of keys. */
export class SecretBox {
  constructor(private readonly keys: KeyRing) {}

  /** Id of the key that new envelopes are made with. */
  get currentKeyId(): string {
    return this.keys[0].id;
  }

  /** @param owner id of the row the secret belongs to; the same must be given to open it */
  encrypt(plaintext: string, owner: string): Buffer {
    const { id, key } = this.keys[0];
    const head = Buffer.concat([Buffer.of(VERSION), Buffer.from(id, 'hex')]);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce).setAAD(associated(head, owner));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return Buffer.concat([head, nonce, cipher.getAuthTag(), ciphertext]);
  }

  /** @throws DomainError `decryption_failed`: unknown key, damaged envelope, or another row's */
  decrypt(envelope: Uint8Array, owner: string): string {
    const bytes = Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength);
    const { key } = this.keyFor(bytes);
    try {
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(KEY_ID_END, NONCE_END), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(associated(bytes.subarray(0, KEY_ID_END), owner))
        .setAuthTag(bytes.subarray(NONCE_END, TAG_END));
      return Buffer.concat([decipher.update(bytes.subarray(TAG_END)), decipher.final()]).toString('utf8');
    } catch {
      // OpenSSL's own message says nothing a person could act on
      throw failed('the stored secret is damaged or belongs to another row');
    }
  }

  /** Whether the envelope is under an older key and should be written again with {@link encrypt}. */
  isStale(envelope: Uint8Array): boolean {
    return keyIdOf(envelope) !== this.currentKeyId;
  }

  private keyFor(envelope: Buffer): EncryptionKey {
    if (envelope.length < TAG_END || envelope[0] !== VERSION)
      throw failed('the stored secret has an unknown form');
    const id = keyIdOf(envelope);
    const key = this.keys.find((candidate) => candidate.id === id);
    if (!key) throw failed(`the stored secret is under key ${id}, which is not among those given`);
    return key;
  }
}

/** The id of the key that an envelope was made with. */
export function keyIdOf(envelope: Uint8Array): string {
  return Buffer.from(envelope.subarray(1, KEY_ID_END)).toString('hex');
}

function associated(head: Buffer, owner: string): Buffer {
  return Buffer.concat([head, Buffer.from(owner)]);
}

function failed(what: string): DomainError {
  return new DomainError(
    'decryption_failed',
    `${what}; check ${ENCRYPTION_KEY_SETTING} (keys in use must stay in its list)`,
  );
}
