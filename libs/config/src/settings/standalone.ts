import { whole, text } from './readers.js';
import { inGroup, setting } from './setting.js';

export const STANDALONE_GROUP = inGroup('Standalone', {
  HOOKSTREAM_DATA_DIR: setting(text(), {
    default: '.hookstream',
    doc: 'Where the standalone instance keeps its databases, keys, logs and `instance.json`.',
  }),
  HOOKSTREAM_TEMPORAL_UI_PORT: setting(whole(1, 65_535), {
    default: '8233',
    doc: "Port of Temporal's Web UI in the standalone instance.",
  }),
  HOOKSTREAM_TEMPORAL_CLI: setting(text(), {
    optional: true,
    doc: 'Path of a `temporal` binary to use instead of the one on PATH, in the cache, downloaded or built.',
  }),
});
