import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorRequestHandler } from 'express';
import { ControlError } from '../focus/control.ts';
import type { Log } from '../log.ts';
import { HttpProblem, PROBLEM_TYPE, type ProblemCode, problemDocument, problemKinds, sendProblem } from './problems.ts';

/** Turns whatever was thrown into a problem document; what is no fault of the client's goes to the log, whole. */
export function answerFailure(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const problem = problemOf(error);
    if (problem.code === 'internal-error') log.error({ err: error, requestId: request.id }, 'HTTP request failed');
    if (response.headersSent) response.destroy();
    else sendProblem(response, problem, request.id);
  };
}

function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof ControlError) {
    const headers = problemKinds[error.code].status === 503 ? { 'Retry-After': '1' } : {};
    return new HttpProblem(error.code, { detail: error.message, headers });
  }
  return new HttpProblem(codeOfLibrary(error));
}

/** Express and its body parser mark their own errors by `type` or `status`. */
function codeOfLibrary(error: unknown): ProblemCode {
  if (!(error instanceof Error)) return 'internal-error';
  const { type, status } = error as { type?: unknown; status?: unknown };
  switch (type) {
    case 'entity.parse.failed':
      return 'malformed-json';
    case 'entity.too.large':
      return 'body-too-large';
    case 'charset.unsupported':
    case 'encoding.unsupported':
      return 'unsupported-media-type';
    case 'request.aborted':
    case 'request.size.invalid':
      return 'malformed-request';
    default:
      // A path that is not properly escaped.
      return error instanceof URIError && status === 400 ? 'malformed-request' : 'internal-error';
  }
}

/** Answers what Node's parser could not make a request of; there is no response object then. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  answerRaw(socket, new HttpProblem(codeOfParser(error.code)));
}

/** Answers a request to upgrade that nobody here takes; its stream is ours. */
export function answerUnknownUpgrade(stream: Duplex): void {
  stream.on('error', () => {});
  answerRaw(stream, new HttpProblem('not-found'));
}

function answerRaw(stream: Duplex, problem: HttpProblem): void {
  const body = JSON.stringify(problemDocument(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  // Nobody counts it, so it must not stay open until the other side closes it too.
  stream.once('finish', () => stream.destroy());
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function codeOfParser(code: string | undefined): ProblemCode {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers-too-large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request-timeout';
    default:
      return 'malformed-request';
  }
}
