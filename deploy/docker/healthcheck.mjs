// node healthcheck.mjs URL: ends with 0 when it answers 2xx within four seconds. The image has neither curl nor wget.
try {
  const answer = await fetch(process.argv[2], { signal: AbortSignal.timeout(4_000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text.slice(0, 500)}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
