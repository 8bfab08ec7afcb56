import { Inject, Injectable } from '@nestjs/common';
import type { FieldError, SchemaValidation } from '@hookstream/domain';
import type { Logger } from '@hookstream/observability';
import { EventTypesRepository, type CheckedEventType } from '@hookstream/persistence';
import { LRUCache } from 'lru-cache';
import { TenantPolicies } from '../platform/tenant-policies.js';
import { LOGGER } from '../platform/tokens.js';
import { SchemaCompiler, type CompiledSchema } from './schema-compiler.js';

const MAX_CATALOGUES = 10_000;
/** A compiled schema takes some 50 to 500 KB. */
const MAX_COMPILED = 500;

/** What a schema found in an event. */
export interface SchemaFinding {
  validation: Exclude<SchemaValidation, 'off'>;
  /** Never empty. */
  errors: FieldError[];
}

interface Catalogue {
  version: string;
  types: ReadonlyMap<string, CheckedEventType>;
}

/**
 * Checks events against the schemas of their types. Schemas are compiled once per version and process; whether there is a new version is
 * seen from the tenant's policies, which are at most a second old.
 */
@Injectable()
export class EventSchemas {
  private readonly catalogues: LRUCache<string, Catalogue>;
  private readonly compiled: LRUCache<
    string,
    { schema: CompiledSchema | null },
    CheckedEventType & { tenantId: string }
  >;

  constructor(
    private readonly eventTypes: EventTypesRepository,
    private readonly policies: TenantPolicies,
    private readonly compiler: SchemaCompiler,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.catalogues = new LRUCache({ max: MAX_CATALOGUES });
    this.compiled = new LRUCache({
      max: MAX_COMPILED,
      fetchMethod: async (_key, _stale, { context }) => ({ schema: await this.compile(context) }),
    });
  }

  /**
   * @param length of the data's text, in characters
   * @returns null when the event is as its type says, or when nothing is said of its type
   */
  async check(tenantId: string, type: string, data: unknown, length: number): Promise<SchemaFinding | null> {
    const { eventTypesVersion } = await this.policies.of(tenantId);
    if (eventTypesVersion === '0') return null;
    const catalogue = await this.catalogue(tenantId, eventTypesVersion);
    const checked = catalogue.types.get(type);
    if (checked === undefined || checked.validation === 'off') return null;
    const key = `${tenantId} ${type} ${checked.version}`;
    const found = await this.compiled.fetch(key, { context: { ...checked, tenantId } });
    const errors = found?.schema?.check(data, length) ?? [];
    return errors.length === 0 ? null : { validation: checked.validation, errors };
  }

  private async catalogue(tenantId: string, version: string): Promise<Catalogue> {
    const known = this.catalogues.get(tenantId);
    if (known?.version === version) return known;
    const rows = await this.eventTypes.listChecked(tenantId);
    const catalogue = { version, types: new Map(rows.map((row) => [row.name, row])) };
    this.catalogues.set(tenantId, catalogue);
    return catalogue;
  }

  /** A schema that cannot be compiled any more (another version of Hookstream took it) stops nobody's events. */
  private async compile({
    tenantId,
    name,
  }: {
    tenantId: string;
    name: string;
  }): Promise<CompiledSchema | null> {
    const schema = await this.eventTypes.findSchema(tenantId, name);
    if (schema === null) return null;
    try {
      return this.compiler.compile(schema);
    } catch (error) {
      this.logger.error(
        { err: error, tenant_id: tenantId, event_type: name },
        'events go unchecked: their schema cannot be compiled',
      );
      return null;
    }
  }
}
