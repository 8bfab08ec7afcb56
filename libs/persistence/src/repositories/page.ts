import { idToUuid, type IdKind } from '@hookstream/domain';

/** Newest first; `cursor` is the id of the last row of the page before. */
export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

export interface Page<T> {
  data: T[];
  /** Null on the last page. */
  nextCursor: string | null;
}

/** A page out of one row more than was asked for, which tells whether another page follows. */
export function toPage<T extends { id: string }>(rows: T[], limit: number): Page<T> {
  const data = rows.slice(0, limit);
  return { data, nextCursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
}

/** The uuid below which a page starts, or null on the first page. */
export function cursorUuid(kind: IdKind, page: PageRequest): string | null {
  return page.cursor === undefined ? null : idToUuid(kind, page.cursor);
}
