import { Injectable } from '@nestjs/common';
import { newId, type SignatureScheme } from '@hookstream/domain';
import type { NewSecret } from '@hookstream/persistence';
import { generateSecret, publicKeyOf, SecretBox } from '@hookstream/signing';

export interface IssuedSecret {
  stored: NewSecret;
  /** What the caller is told, once. */
  shown: { secret: string; public_key?: string };
}

/** Makes signing secrets and keeps what an endpoint stores encrypted, bound to the endpoint's id. */
@Injectable()
export class EndpointSecrets {
  constructor(private readonly box: SecretBox) {}

  issue(endpointId: string, scheme: SignatureScheme): IssuedSecret {
    const secret = generateSecret(scheme);
    return {
      stored: {
        id: newId('secret'),
        ciphertext: this.box.encrypt(secret, endpointId),
        keyId: this.box.currentKeyId,
      },
      shown: scheme === 'v1a' ? { secret, public_key: publicKeyOf(secret) } : { secret },
    };
  }

  sealHeaders(endpointId: string, headers: Record<string, string>): Buffer | null {
    return Object.keys(headers).length === 0 ? null : this.box.encrypt(JSON.stringify(headers), endpointId);
  }

  openHeaders(endpointId: string, sealed: Buffer | null): Record<string, string> {
    return sealed === null
      ? {}
      : (JSON.parse(this.box.decrypt(sealed, endpointId)) as Record<string, string>);
  }
}
