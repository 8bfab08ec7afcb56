// What a migration may do while the version before still runs on the same database: add. docs/self-hosting/upgrade.md explains the rules.

const RULES = [
  { pattern: /\bDROP\s+(TABLE|COLUMN|TYPE|VIEW)\b/i, told: 'drops what the version before may still use' },
  {
    pattern: /\bRENAME\s+(TO|COLUMN|CONSTRAINT)\b/i,
    told: 'renames what the version before knows by its old name',
  },
  {
    pattern: /\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b/i,
    told: 'changes the type of a column: it may rewrite the table',
  },
  {
    pattern: /\bALTER\s+COLUMN\s+\S+\s+SET\s+NOT\s+NULL\b/i,
    told: 'asks for values that the version before does not write',
  },
  {
    pattern: /\bADD\s+COLUMN\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b/i,
    told: 'adds a column NOT NULL without a default: the version before does not write it',
  },
  { pattern: /\bTRUNCATE\b/i, told: 'empties a table' },
];

/** A migration that takes away says in its head since which version nothing uses it. */
const CONTRACTS = /^ \* Contracts: .+/m;
const TELLS_LOCKS = /\block(s|ed)?\b/i;

/** @param text the source of a migration. @returns what it should not do, in words */
export function brokenRules(text) {
  const from = text.indexOf('async up(');
  const to = text.indexOf('async down(');
  const head = text.slice(0, from);
  const up = text.slice(from, to < from ? undefined : to);
  const taken = CONTRACTS.test(head)
    ? []
    : RULES.filter(({ pattern }) => pattern.test(up)).map(({ told }) => told);
  return TELLS_LOCKS.test(head)
    ? taken
    : [...taken, 'does not say in its head what it locks, and for how long'];
}
