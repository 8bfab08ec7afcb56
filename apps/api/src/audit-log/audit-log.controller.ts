import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { TenantId } from '../auth/actor.js';
import type { Listed } from '../http/fields.dto.js';
import { Operation } from '../http/operation.decorator.js';
import { AuditLogService } from './audit-log.service.js';
import {
  AuditEntryPageSchema,
  ListAuditEntriesSchema,
  type AuditEntryAnswer,
  type ListAuditEntries,
} from './dto/audit-log.dto.js';

@ApiTags('audit-log')
@Controller('audit-log')
export class AuditLogController {
  constructor(private readonly auditLog: AuditLogService) {}

  @Get()
  @Operation({
    summary: 'List changes',
    description: 'Who changed what, when: through the API, by the operator, or by Hookstream itself.',
    access: 'audit-log:read',
    status: 200,
    answer: AuditEntryPageSchema,
    failures: [422],
  })
  listAuditEntries(
    @TenantId() tenantId: string,
    @Query({ schema: ListAuditEntriesSchema }) query: ListAuditEntries,
  ): Promise<Listed<AuditEntryAnswer>> {
    return this.auditLog.list(tenantId, query);
  }
}
