import { Inject, Injectable } from '@nestjs/common';
import type { ApiConfig } from '@hookstream/config';
import { checkEndpointUrl, DomainError, newId } from '@hookstream/domain';
import { EndpointsRepository, type EndpointRecord } from '@hookstream/persistence';
import type { KeyActor } from '../auth/actor.js';
import { CircuitNotices } from '../circuits/circuit-notices.js';
import { listed, type Listed } from '../http/fields.dto.js';
import { API_CONFIG } from '../platform/tokens.js';
import type {
  CreatedEndpointAnswer,
  CreateEndpoint,
  EndpointAnswer,
  ListEndpoints,
  RotatedEndpointAnswer,
  RotateSecret,
  UpdateEndpoint,
} from './dto/endpoint.dto.js';
import { changedSettings, mergedHeaders, newSettings } from './endpoint-changes.js';
import { EndpointSecrets } from './endpoint-secrets.js';
import { presentEndpoint } from './endpoints.presenter.js';

const DISABLED_BY_CALLER = 'disabled through the API';

@Injectable()
export class EndpointsService {
  constructor(
    private readonly endpoints: EndpointsRepository,
    private readonly secrets: EndpointSecrets,
    private readonly circuits: CircuitNotices,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  async create(actor: KeyActor, input: CreateEndpoint): Promise<CreatedEndpointAnswer> {
    this.checkUrl(input.url);
    const id = newId('endpoint');
    const { stored, shown } = this.secrets.issue(id, input.signature.scheme);
    const settings = {
      ...newSettings(input),
      lane: input.lane ?? this.config.accept.defaultLane,
      headers: this.secrets.sealHeaders(id, mergedHeaders({}, input.headers)),
    };
    return {
      ...this.present(await this.endpoints.create(actor.tenantId, id, settings, stored, actor)),
      ...shown,
    };
  }

  async list(tenantId: string, query: ListEndpoints): Promise<Listed<EndpointAnswer>> {
    return listed(await this.endpoints.list(tenantId, query), (endpoint) => this.present(endpoint));
  }

  async get(tenantId: string, id: string): Promise<EndpointAnswer> {
    return this.present(await this.find(tenantId, id));
  }

  async update(actor: KeyActor, id: string, patch: UpdateEndpoint): Promise<EndpointAnswer> {
    const { tenantId } = actor;
    if (patch.url !== undefined) this.checkUrl(patch.url);
    const endpoint = await this.find(tenantId, id);
    const headers =
      patch.headers === undefined ? {} : { headers: this.patchedHeaders(endpoint, patch.headers ?? {}) };
    const changes = { ...changedSettings(patch), ...headers };
    const changed = await this.endpoints.update(tenantId, id, changes, actor);
    if (patch.circuit !== undefined) await this.circuits.changed(id);
    if (patch.status === undefined) return this.present(found(changed));
    return this.setStatus(actor, id, patch.status);
  }

  /** `disabled` is also what a 410 does; `enabled` releases what is held. */
  async setStatus(actor: KeyActor, id: string, status: EndpointRecord['status']): Promise<EndpointAnswer> {
    const { tenantId } = actor;
    const before = await this.find(tenantId, id);
    const changed = await this.endpoints.setStatus(tenantId, id, status, DISABLED_BY_CALLER, actor);
    if (before.status === 'disabled' && status === 'enabled') await this.circuits.enabledAgain(id);
    return this.present(found(changed));
  }

  async rotateSecret(actor: KeyActor, id: string, input: RotateSecret): Promise<RotatedEndpointAnswer> {
    const { tenantId } = actor;
    const { signature } = await this.find(tenantId, id);
    const { stored, shown } = this.secrets.issue(id, signature.scheme);
    const rotated = await this.endpoints.rotateSecret(tenantId, id, stored, input.overlap_seconds, actor);
    return {
      ...this.present(found(rotated?.endpoint ?? null)),
      ...shown,
      previous_secrets_expire_at: (rotated?.previousExpiresAt ?? new Date()).toISOString(),
    };
  }

  async delete(actor: KeyActor, id: string): Promise<void> {
    if (!(await this.endpoints.delete(actor.tenantId, id, actor))) found(null);
    await this.circuits.changed(id);
  }

  /** @throws DomainError `not_found` */
  async find(tenantId: string, id: string): Promise<EndpointRecord> {
    return found(await this.endpoints.find(tenantId, id));
  }

  private present(endpoint: EndpointRecord): EndpointAnswer {
    return presentEndpoint(endpoint, this.secrets.openHeaders(endpoint.id, endpoint.headers));
  }

  private patchedHeaders(endpoint: EndpointRecord, patch: Record<string, string>): Buffer | null {
    const stored = this.secrets.openHeaders(endpoint.id, endpoint.headers);
    return this.secrets.sealHeaders(endpoint.id, mergedHeaders(stored, patch));
  }

  private checkUrl(url: string): void {
    const { schemes, ports } = this.config.endpointUrls;
    const problems = checkEndpointUrl(url, { schemes, ports });
    if (problems.length === 0) return;
    throw new DomainError(
      'validation_failed',
      'The URL cannot be delivered to.',
      problems.map(({ message }) => ({ field: 'url', message })),
    );
  }
}

function found(endpoint: EndpointRecord | null): EndpointRecord {
  if (endpoint === null) throw new DomainError('not_found', 'There is no such endpoint.');
  return endpoint;
}
