import { Router } from 'express';
import type { Metrics } from '../metrics.ts';
import { refuseMethod } from './mount-operations.ts';

export interface Health {
  /** Why the server cannot take calls now, in words; empty when it can. */
  notReadyBecause(): string[];
}

/** What orchestrators and Prometheus ask for; without a token. */
export function probes(health: Health, metrics: Metrics): Router {
  const router = Router({ caseSensitive: true });
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', (_request, response) => {
    const reasons = health.notReadyBecause();
    response.status(reasons.length === 0 ? 200 : 503).json({ ready: reasons.length === 0, reasons });
  });
  router.get('/metrics', async (_request, response) => {
    const page = await metrics.page();
    response.setHeader('Content-Type', metrics.contentType);
    response.end(page);
  });
  router.all(['/healthz', '/readyz', '/metrics'], refuseMethod(['GET']));
  return router;
}
