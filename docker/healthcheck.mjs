// Ends with 0 when the server in this container answers /healthz. Plain JavaScript: the image runs it as it is.
import http from 'node:http';
import https from 'node:https';

const bind = process.env.PARLEY_HTTP_BIND || '127.0.0.1';
const loopback = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };
const host = loopback[bind] ?? (bind.includes(':') ? `[${bind}]` : bind);
const port = process.env.PARLEY_HTTP_PORT || '8080';
const tls = process.env.PARLEY_HTTP_TLS === 'true';

process.exitCode = 1;
// The certificate names the domain, not loopback; whose it is, is of no concern here.
const options = { rejectUnauthorized: false, timeout: 2_000 };
const request = (tls ? https : http).get(`http${tls ? 's' : ''}://${host}:${port}/healthz`, options, (response) => {
  process.exitCode = response.statusCode === 200 ? 0 : 1;
  response.destroy();
});
request.on('timeout', () => request.destroy());
request.on('error', () => {});
