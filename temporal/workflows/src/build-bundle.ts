// Bundles the compiled workflows once at build time: a worker that has to do it takes seconds longer to start.
import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { workflowBundlePath } from './bundle.js';

const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('./index.js', import.meta.url)),
  // Without state of their own, so that workflows share them instead of each loading its own, which is a tenth of what a success takes there.
  preloadModules: [
    '@temporalio/workflow',
    '@hookstream/contracts',
    '@hookstream/domain',
    fileURLToPath(new URL('./sandbox-setup.js', import.meta.url)),
    fileURLToPath(new URL('./index.js', import.meta.url)),
  ],
  logger: new DefaultLogger('WARN'),
});
// A worker that starts meanwhile reads the old bundle or the new one, never half of one.
const unfinished = `${workflowBundlePath}.${process.pid}.tmp`;
await writeFile(unfinished, code);
await rename(unfinished, workflowBundlePath);
