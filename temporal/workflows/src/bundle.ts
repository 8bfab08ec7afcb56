// Names the bundle for workers. Not part of it: nothing the workflows import may import this.
import { fileURLToPath } from 'node:url';

/** For `Worker.create({ workflowBundle: { codePath } })`. `npm run build` writes it. */
export const workflowBundlePath = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
