import { Injectable } from '@nestjs/common';
import { AuditRepository } from '@hookstream/persistence';
import { listed, type Listed } from '../http/fields.dto.js';
import { presentAuditEntry } from './audit-log.presenter.js';
import type { AuditEntryAnswer, ListAuditEntries } from './dto/audit-log.dto.js';

@Injectable()
export class AuditLogService {
  constructor(private readonly audit: AuditRepository) {}

  async list(tenantId: string, query: ListAuditEntries): Promise<Listed<AuditEntryAnswer>> {
    const { action, object_id: objectId, since, until } = query;
    return listed(
      await this.audit.list(tenantId, { action, objectId, since, until }, query),
      presentAuditEntry,
    );
  }
}
