export {
  generateApiKey,
  hashApiKey,
  isApiKey,
  keyMode,
  type GeneratedKey,
  type KeyMode,
} from './api-key-format.js';
export { publicKeyOf } from './ed25519-keys.js';
export {
  createWebhookSigner,
  generateSecret,
  schemeOf,
  type SignedMessage,
  type SigningKey,
  type WebhookSigner,
} from './webhook-signer.js';
export { verifyWebhook, type VerifiedHeaders } from './webhook-verifier.js';
export { type EncryptionKey, generateEncryptionKey, type KeyRing, parseKeyRing } from './key-ring.js';
export { keyIdOf, SecretBox } from './secret-box.js';
