/** Reads at most this much of an answer; what is beyond is never read. */
export interface BodyRead {
  text: string;
  truncated: boolean;
}

/**
 * The beginning of a body as text, up to `limit` bytes; leaving the loop destroys the stream and with it the socket.
 * Bytes that are not UTF-8, and NUL, which Postgres cannot store, become U+FFFD.
 */
export async function readBody(body: AsyncIterable<Buffer>, limit: number): Promise<BodyRead> {
  const chunks: Buffer[] = [];
  let size = 0;
  let truncated = false;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
    truncated = size > limit;
    if (truncated) break;
  }
  // streaming mode leaves out a character that the limit cut in two
  const text = new TextDecoder().decode(Buffer.concat(chunks), { stream: truncated });
  return { text: text.replaceAll('\0', '\uFFFD'), truncated };
}
