// Compiles the product and the workflow bundle in the image's build stage, where the packages are installed already.
import { build, main } from '../../scripts/prepare.mjs';

await main(() => build('product'));
