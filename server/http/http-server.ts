import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import express, { type Express } from 'express';
import helmet, { type HelmetOptions } from 'helmet';
import type { EventStreams } from '../events/event-streams.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { answerBrokenRequest, answerFailure, answerUnknownUpgrade } from './answer-failure.ts';
import { authenticate, limitRequests, type RateLimit, takeLinks } from './authenticate.ts';
import { BASE_PATH } from './base-path.ts';
import { serveConsole } from './console.ts';
import { allowOrigins } from './cors.ts';
import type { Idempotency } from './idempotency.ts';
import { expressPath, mountOperations, refuseMethod } from './mount-operations.ts';
import { openApiDocument } from './openapi.ts';
import type { Controls } from './operation.ts';
import { operations } from './operations.ts';
import { type Health, probes } from './probes.ts';
import { HttpProblem } from './problems.ts';
import { logRequests } from './request-log.ts';

export interface HttpLimits {
  requests: RateLimit;
  /** Wrong tokens. */
  failures: RateLimit;
  /** From the first byte to the end of the headers; from there to that of the body, and of one that is a file. */
  headersTimeoutMs: number;
  requestTimeoutMs: number;
  uploadTimeoutMs: number;
}

const defaultLimits: HttpLimits = {
  requests: { limit: 6000, windowMs: 60_000 },
  failures: { limit: 10, windowMs: 60_000 },
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  uploadTimeoutMs: 900_000,
};

/** Both in PEM. */
export interface HttpIdentity {
  readonly key: string;
  readonly certificate: string;
}

/** Who takes WebSockets at a path; the stream is theirs then. */
export interface HttpUpgrade {
  readonly path: string;
  take(request: IncomingMessage, stream: Duplex, head: Buffer): void;
}

export interface HttpServerOptions {
  controls: Controls;
  streams: EventStreams;
  idempotency: Idempotency;
  health: Health;
  metrics: Metrics;
  log: Log;
  /** The program's, for the OpenAPI document. */
  version: string;
  /** For HTTPS; without it, HTTP. */
  tls?: HttpIdentity | null;
  upgrade?: HttpUpgrade;
  /** Where the moderator's console lies; null or nothing: there is none. */
  consoleDirectory?: string | null;
  /** Whose pages may use the API, besides those of this server; `*` is all. */
  corsOrigins?: readonly string[];
  limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  readonly server: Server | TlsServer;
  /** Port 0 takes any free one. Rejects when the port is taken. */
  listen(port: number, address: string): Promise<{ address: string; port: number }>;
  /**
   * Takes no new connections, ends event streams and idle ones at once and others with their answer, and after `graceMs`
   * all that are left. Resolves when none is left.
   */
  close(graceMs?: number): Promise<void>;
  /** The key and certificate for connections from now on; nothing happens without TLS. */
  setIdentity(identity: HttpIdentity): void;
}

/**
 * Answers are data, never pages, but for the console, which has a policy of its own. Whether a whole domain is for TLS alone is for the proxy to say that has the certificate.
 */
const securityHeaders: HelmetOptions = {
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  strictTransportSecurity: false,
};

const MAX_HEADER_BYTES = 16_384;

/** Makes the server of the HTTP API; it does not listen yet. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const limits = { ...defaultLimits, ...options.limits };
  const answering = new Set<ServerResponse>();
  let closing = false;
  const application = createApplication(options, limits);
  const listener: RequestListener = (request, response) => {
    answering.add(response);
    if (!isUpload(request)) limitBody(server, request, response, limits.requestTimeoutMs);
    if (closing) response.shouldKeepAlive = false;
    response.once('close', () => {
      answering.delete(response);
      // A response whose headers had gone out before the end was near kept its connection.
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    application(request, response);
  };
  const server = createPlainOrTls(options.tls ?? null, limits, listener);
  server.on('clientError', answerBrokenRequest);
  server.on('upgrade', (request, stream, head) => {
    const { upgrade } = options;
    const path = (request.url ?? '').split('?', 1)[0];
    if (upgrade && path === upgrade.path && !closing) upgrade.take(request, stream, head);
    else answerUnknownUpgrade(stream);
  });

  return {
    server,
    listen: (port, address) => listen(server, port, address),
    close(graceMs = 1000) {
      closing = true;
      options.streams.close();
      for (const response of answering) response.shouldKeepAlive = false;
      return new Promise((resolve) => {
        const atLast = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(atLast);
          resolve();
        });
        server.closeIdleConnections();
      });
    },
    setIdentity(identity) {
      if (server instanceof TlsServer) server.setSecureContext(contextOf(identity));
    },
  };
}

const uploads = new Set(
  operations
    .filter(({ upload }) => upload !== undefined)
    .map(({ method, path }) => `${method.toUpperCase()} ${BASE_PATH}${path}`),
);

function isUpload({ method, url = '' }: IncomingMessage): boolean {
  return uploads.has(`${method} ${url.split('?', 1)[0]}`);
}

/** What Node's own error of that kind has. */
const LATE = { code: 'ERR_HTTP_REQUEST_TIMEOUT' };

/** Ends a request whose body takes too long, as Node ends those that exceed the time for uploads. */
function limitBody(
  server: Server | TlsServer,
  request: IncomingMessage,
  response: ServerResponse,
  timeoutMs: number,
): void {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
  if (length === '0' && coding === undefined) return;
  const timer = setTimeout(() => {
    // It was answered without the body.
    if (response.headersSent) request.socket.destroy();
    else server.emit('clientError', Object.assign(new Error('too long'), LATE), request.socket);
  }, timeoutMs);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
}

function createPlainOrTls(tls: HttpIdentity | null, limits: HttpLimits, listener: RequestListener): Server | TlsServer {
  const httpOptions: ServerOptions = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.uploadTimeoutMs,
    connectionsCheckingInterval: Math.min(5000, limits.headersTimeoutMs),
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  return tls === null
    ? createServer(httpOptions, listener)
    : createTlsServer({ ...httpOptions, ...contextOf(tls), handshakeTimeout: limits.headersTimeoutMs }, listener);
}

const contextOf = ({ key, certificate }: HttpIdentity) => ({ key, cert: certificate, minVersion: 'TLSv1.2' as const });

function listen(server: Server | TlsServer, port: number, address: string): Promise<{ address: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      const bound = server.address() as AddressInfo;
      resolve({ address: bound.address, port: bound.port });
    });
  });
}

function createApplication(options: HttpServerOptions, limits: HttpLimits) {
  const { controls, streams, idempotency, health, metrics, log, version, corsOrigins = [] } = options;
  const application: Express = express();
  application.set('query parser', 'simple');
  // A proxy on this host says who really asks; nobody else is believed.
  application.set('trust proxy', 'loopback');
  application.use(logRequests(log, metrics), helmet(securityHeaders));
  application.use(probes(health, metrics));

  const api = express.Router({ caseSensitive: true });
  let document: object | null = null;
  api.use((_request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  // First, so that pages can read also that they ask too much.
  api.use(allowOrigins(corsOrigins), limitRequests(limits.requests));
  api.get('/openapi.json', (_request, response) => {
    document ??= openApiDocument(operations, version);
    response.json(document);
  });
  api.all('/openapi.json', refuseMethod(['GET']));
  for (const { path } of operations.filter(({ linked }) => linked))
    api.get(expressPath(path), takeLinks(controls.links));
  api.use(authenticate(controls.tokens, limits.failures, log));
  api.use(mountOperations(operations, { controls, streams, idempotency }));
  application.use(BASE_PATH, api);
  if (options.consoleDirectory) application.use(serveConsole(options.consoleDirectory));

  application.use(() => {
    throw new HttpProblem('not-found');
  });
  application.use(answerFailure(log));
  return application;
}
