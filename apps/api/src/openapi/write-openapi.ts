import 'reflect-metadata';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openApiJson } from './openapi-json.js';

const FILE = fileURLToPath(new URL('../../openapi/openapi.json', import.meta.url));

const text = await openApiJson();
if (process.argv.includes('--check')) {
  const committed = await readFile(FILE, 'utf8').catch(() => '');
  if (committed !== text) {
    console.error(
      'apps/api/openapi/openapi.json is not what the code says. Write it: node apps/api/dist/openapi/write-openapi.js',
    );
    process.exitCode = 1;
  }
} else {
  await writeFile(FILE, text);
}
