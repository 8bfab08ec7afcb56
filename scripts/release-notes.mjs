// node scripts/release-notes.mjs 1.2.3: what CHANGELOG.md says of a version, for the page of its release.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main, PlainError, root } from './prepare.mjs';

/** @returns `{ notes }`, or `{ problem }` */
export function releaseNotes(version) {
  const sections = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^## /m).slice(1);
  const section = sections.find((text) => text.startsWith(`[${version}]`));
  if (!section) return { problem: `CHANGELOG.md has no section [${version}]` };
  const [title, ...lines] = section.split('\n');
  if (!/^\S+ - \d{4}-\d{2}-\d{2}$/.test(title))
    return { problem: `CHANGELOG.md says "${title}": before a release the date belongs there` };
  const notes = lines.join('\n').trim();
  return notes === '' ? { problem: `CHANGELOG.md says nothing of ${version}` } : { notes };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(() => {
    const [version] = process.argv.slice(2);
    if (!version) throw new PlainError('usage: node scripts/release-notes.mjs 1.2.3');
    const { notes, problem } = releaseNotes(version);
    if (problem) throw new PlainError(problem);
    console.log(notes);
  });
}
