import { compileFilter, filterProblems, type Filter, type FilterNode } from '@hookstream/domain';

const MAX_COMPILED = 5_000;

/** By their text, so that a filter that changes is another filter and nothing has to be told. */
const compiled = new Map<string, FilterNode>();

/**
 * A filter as it is stored, ready to be asked; compiled once. One that this version cannot read (a newer one wrote it) holds nothing
 * back: an event too many can be told apart by its receiver, one too few is lost.
 */
export function storedFilter(text: string): FilterNode {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const filter: unknown = JSON.parse(text);
  const node: FilterNode =
    filterProblems(filter).length === 0
      ? compileFilter(filter as Filter)
      : { kind: 'all', at: 'filter', children: [] };
  for (const oldest of compiled.keys()) {
    if (compiled.size < MAX_COMPILED) break;
    compiled.delete(oldest);
  }
  compiled.set(text, node);
  return node;
}
