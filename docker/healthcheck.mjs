// Ends with 0 when the server in this container answers /healthz. Plain JavaScript: the image runs it as it is.
const bind = process.env.PARLEY_HTTP_BIND || '127.0.0.1';
const loopback = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };
const host = loopback[bind] ?? (bind.includes(':') ? `[${bind}]` : bind);
const port = process.env.PARLEY_HTTP_PORT || '8080';

try {
  const response = await fetch(`http://${host}:${port}/healthz`, { signal: AbortSignal.timeout(2_000) });
  process.exitCode = response.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
