import type { AuditRecord } from '@hookstream/persistence';
import type { AuditEntryAnswer } from './dto/audit-log.dto.js';

export function presentAuditEntry(entry: AuditRecord): AuditEntryAnswer {
  return {
    id: entry.id,
    action: entry.action,
    actor: entry.actor,
    object_kind: entry.objectKind,
    object_id: entry.objectId,
    reason: entry.reason,
    changes: entry.changes,
    created_at: entry.createdAt.toISOString(),
  };
}
