// Writes docs/self-hosting/configuration.md; with --check, only tells whether it is up to date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configurationReference } from './reference.js';

const path = fileURLToPath(new URL('../../../docs/self-hosting/configuration.md', import.meta.url));
const wanted = configurationReference();

if (!process.argv.includes('--check')) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, wanted);
} else if (!existsSync(path) || readFileSync(path, 'utf8') !== wanted) {
  process.stderr.write('docs/self-hosting/configuration.md is not what libs/config/src/settings says\n');
  process.exitCode = 1;
}
