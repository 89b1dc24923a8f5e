import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import { refuseMethod } from './mount-operations.ts';

/** The console's own paths, each the same page: it looks at the path itself. Everything else that is not there is 404. */
const PAGES = ['/', '/rooms/:room', '/recordings'];

/** Their names change with what is in them. */
const ASSETS_MAX_AGE_MS = 365 * 24 * 3600 * 1000;

/** Where the build puts the console: `dist/console`, seen from `dist/server/http`. Null when it was not built, or nothing was. */
export function consoleDirectory(): string | null {
  const here = fileURLToPath(import.meta.url);
  const directory = join(here, here.endsWith('.ts') ? '../../../dist/console' : '../../../console');
  return existsSync(join(directory, 'index.html')) ? directory : null;
}

/**
 * The moderator's console: a page and its files, without secrets, so without a token. It runs nothing but its own script, and
 * talks to nobody but this server.
 */
export function serveConsole(directory: string): Router {
  const router = express.Router({ caseSensitive: true });
  const page = sendPage(directory);
  for (const path of PAGES) {
    router.get(path, securityPolicy, page);
    router.all(path, refuseMethod(['GET']));
  }
  const files = { index: false as const, redirect: false, immutable: true, maxAge: ASSETS_MAX_AGE_MS };
  router.use('/assets', securityPolicy, express.static(join(directory, 'assets'), files));
  return router;
}

const securityPolicy: RequestHandler = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    // Waveforms, which the page fetches with its token.
    imgSrc: ["'self'", 'blob:'],
    connectSrc: ["'self'"],
    // Recordings by link; captions, and recordings of who may make no links, which the page fetches with its token.
    mediaSrc: ["'self'", 'blob:'],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** To be asked for each time, as it names the files of the latest build; mostly the answer is 304. */
function sendPage(root: string): RequestHandler {
  return (_request, response, next) => {
    response.setHeader('Cache-Control', 'no-cache');
    // The project may lie in a directory whose name begins with a dot.
    response.sendFile('index.html', { root, cacheControl: false }, (error) => {
      if (!error) return;
      if (response.headersSent || response.destroyed) response.destroy();
      else next(error);
    });
  };
}
