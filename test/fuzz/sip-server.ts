import { parseMessage } from '../../server/sip/message/parse-message.ts';
import { RFC_4475, RFC_5118, tortureMessage } from '../rfc/torture-cases.ts';
import { PHONE_OFFERS } from '../sdp/phone-offers.ts';
import type { SeededRandom } from '../sim/seeded-random.ts';
import { FuzzedStack, requestIn } from './fuzzed-stack.ts';
import { inFlatMemory, inTime } from './limits.ts';
import { mangle } from './sdp.ts';
import { mutate } from './sip-messages.ts';

export interface SipServerFuzzReport {
  iterations: number;
  /** Calls that the application got. */
  calls: number;
  /** Requests and responses that the stack sent. */
  sent: number;
  /** The most that there was at a time. */
  mostTransactions: number;
  mostCalls: number;
  mostRegistrations: number;
}

/** A dialog that stands, seen from the other side. */
interface LiveDialog {
  callId: string;
  theirTag: string;
  ourTag: string;
  target: string;
  cseq: number;
  reliable: boolean;
  /** Where that is not the target. */
  to?: string;
}

/** After so many inputs a new stack begins, so that a failure can be had again from its seed alone. */
const INPUTS_PER_STACK = 500;
const LIVE_DIALOGS = 4;
const MEMORY_ROUNDS = 16;
/** An entry in a map for every other input would be more; what the engine itself keeps is less. */
const BYTES_PER_INPUT = 20;
/** All that can still be waiting is over after this: session timers, registrations of subscriptions, refused INVITEs. */
const ALL_OVER_MS = 4 * 3600_000;

const IN_DIALOG = [
  'INVITE',
  'UPDATE',
  'BYE',
  'INFO',
  'OPTIONS',
  'PRACK',
  'REFER',
  'NOTIFY',
  'CANCEL',
  'ACK',
  'MESSAGE',
];

const TORTURE = [
  ...RFC_4475.map(({ name }) => tortureMessage(4475, name)),
  ...RFC_5118.map(({ name }) => tortureMessage(5118, name)),
];

const EXTRA_HEADERS = [
  'Supported: outbound, path',
  'Path: <sip:edge.example.com;lr;ob>',
  'Supported: 100rel, timer, replaces, norefersub',
  'Require: 100rel',
  'Require: timer',
  'Session-Expires: 90;refresher=uac',
  'Session-Expires: 90;refresher=uas',
  'Min-SE: 90',
  'RAck: 1 1 INVITE',
  'RSeq: 1',
  'Refer-To: <sip:other@example.com?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>',
  'Refer-To: <sip:other@example.com>',
  'Refer-Sub: false',
  'Replaces: x;to-tag=a;from-tag=b;early-only',
  'Join: x;to-tag=a;from-tag=b',
  'Event: refer',
  'Subscription-State: terminated;reason=noresource',
  'Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000',
  'Record-Route: <sip:proxy.example.com;lr>, <sip:other.example.com>',
  'Contact: <sip:else@192.0.2.9:5099;transport=tcp>',
  'Contact: <tel:123>',
  'Retry-After: 3',
  'Reason: Q.850;cause=16',
  'Privacy: id',
  'Content-Encoding: gzip',
  'Content-Disposition: session;handling=optional',
  'Expires: 0',
  'Authorization: Digest username="a", realm="192.0.2.2", nonce="x", uri="sip:a", response="y", qop=auth, nc=00000001, cnonce="z"',
  'WWW-Authenticate: Digest realm="a", nonce="b", algorithm=SHA-256, qop="auth,auth-int"',
  'Alert-Info: <x>',
];

const TYPES: Partial<Record<string, string>> = { MESSAGE: 'text/plain' };

const CONTACTS = [
  '*',
  '<sip:phone@192.0.2.1:5070>',
  '<sip:phone@192.0.2.1:5070>;expires=0',
  '<sip:phone@192.0.2.1:5070;transport=tcp>;expires=60;q=0.5',
  '<sip:phone@192.0.2.1>;+sip.instance="<urn:uuid:1>";reg-id=1',
  '<sip:phone@192.0.2.1>;expires=99999999999',
  '"A, B" <sips:other@[2001:db8::1]:5071?Route=%3Csip:a%3E>;q=1.000, <tel:123>;q=0',
];

/**
 * Throws damaged messages at the whole stack: requests and responses, in dialogs and outside, damaged SDP in them, in
 * datagrams and in a stream that is cut anyhow, while time passes.
 *
 * Throws, with what is needed to repeat it, when an exception gets out, when the stack sends what cannot be read, when
 * something remains of it all after hours, or when a good OPTIONS is not answered.
 */
export function fuzzSipServer(iterations: number, seed: number): SipServerFuzzReport {
  const report = emptyReport(iterations);
  for (let done = 0, stack = 0; done < iterations; done += INPUTS_PER_STACK, stack++) {
    new Attack(seed + stack, report).run(Math.min(INPUTS_PER_STACK, iterations - done));
  }
  return report;
}

/** The same on one stack that goes on and on: throws when it keeps anything of what came in and is over. */
export function fuzzSipServerMemory(iterations: number, seed: number): SipServerFuzzReport {
  const report = emptyReport(iterations);
  const attack = new Attack(seed, report);
  const perRound = Math.ceil(iterations / MEMORY_ROUNDS);
  inFlatMemory(MEMORY_ROUNDS, perRound * BYTES_PER_INPUT, () => attack.run(perRound));
  return report;
}

/** The same end for a saved input as in the long run; it comes in each way, while calls are up. */
export function replayOnSipServer(input: Uint8Array): void {
  new Attack(1, emptyReport(1)).replay(input);
}

function emptyReport(iterations: number): SipServerFuzzReport {
  return { iterations, calls: 0, sent: 0, mostTransactions: 0, mostCalls: 0, mostRegistrations: 0 };
}

class Attack {
  private readonly seed: number;
  private readonly report: SipServerFuzzReport;
  private readonly stack: FuzzedStack;
  private readonly random: SeededRandom;
  private live: LiveDialog[] = [];
  private numbers = 0;
  private input: Uint8Array = new Uint8Array(0);

  constructor(seed: number, report: SipServerFuzzReport) {
    this.seed = seed;
    this.report = report;
    this.stack = new FuzzedStack(seed);
    this.random = this.stack.random;
  }

  /** Can be called again. */
  run(inputs: number): void {
    let number = 0;
    try {
      inTime(() => {
        for (number = 0; number < inputs; number++) this.step();
      });
    } catch (cause) {
      const bytes = Buffer.from(this.input).toString('latin1');
      throw new Error(`seed ${this.seed}, input ${number}: ${JSON.stringify(bytes)}`, { cause });
    }
    inTime(() => this.finish());
  }

  replay(input: Uint8Array): void {
    inTime(() => {
      for (let dialog = 0; dialog < LIVE_DIALOGS; dialog++) this.live.push(this.establish());
      this.stack.datagram(input);
      this.stack.stream(input);
      this.stack.timers.advance(1000);
      this.stack.datagram(input);
      this.finish();
    });
  }

  private step(): void {
    while (this.live.length < LIVE_DIALOGS) this.live.push(this.establish());
    this.input = this.nextInput();
    this.take(this.input);
    this.passTime();
    this.watch();
  }

  /** Everything ends by itself, and whoever asks in order is answered. */
  private finish(): void {
    const { stack } = this;
    const status = stack.goodOptions(++this.numbers);
    if (status !== 200) throw new Error(`seed ${this.seed}: a good OPTIONS was answered ${status}`);
    stack.reconnect();
    for (const call of stack.calls.splice(0)) call.hangUp('over');
    this.live = [];
    stack.timers.advance(ALL_OVER_MS);
    const remains = Object.entries(stack.remains).filter(([, count]) => count > 0);
    if (remains.length > 0) {
      throw new Error(`seed ${this.seed}: ${remains.map(([what, count]) => `${count} ${what}`).join(', ')} remain`);
    }
  }

  private take(input: Uint8Array): void {
    const { random, stack } = this;
    if (random.chance(0.7)) return stack.datagram(input);
    for (let at = 0; at < input.length; ) {
      const end = at + 1 + random.below(random.chance(0.5) ? 2000 : 40);
      stack.stream(input.subarray(at, end));
      at = end;
    }
    if (random.chance(0.1)) stack.reconnect();
  }

  private passTime(): void {
    const { random, stack } = this;
    if (random.chance(0.02)) stack.dial();
    if (random.chance(0.05)) stack.meddle();
    stack.timers.advance(random.chance(0.01) ? random.below(40_000) : random.below(50));
  }

  private watch(): void {
    const { stack, report } = this;
    const { calls, transactions } = stack.remains;
    report.mostCalls = Math.max(report.mostCalls, calls);
    report.mostTransactions = Math.max(report.mostTransactions, transactions);
    report.mostRegistrations = Math.max(report.mostRegistrations, stack.registered);
    stack.trim();
    // Those that have ended meanwhile are no use, and all get old.
    if (this.random.chance(0.1)) this.live.splice(this.random.below(LIVE_DIALOGS), 1);
  }

  private nextInput(): Uint8Array {
    const { random } = this;
    const kind = random.fraction();
    const whole = this.wholeMessage(kind);
    const below = (limit: number) => random.below(limit);
    let bytes = whole;
    for (let changes = random.below(4); changes > 0; changes--) bytes = mutate(bytes, TORTURE, below);
    return bytes;
  }

  private wholeMessage(kind: number): Uint8Array {
    if (kind < 0.45) return this.inDialog(this.random.pick(this.live));
    if (kind < 0.65) return this.response();
    if (kind < 0.8) return this.invite(this.newDialog());
    if (kind < 0.85) return this.register();
    if (kind < 0.88) return this.message();
    return this.random.pick(TORTURE);
  }

  private newDialog(): LiveDialog {
    const callId = `fuzz-${++this.numbers}`;
    const reliable = this.random.chance(0.3);
    return { callId, theirTag: `t${this.numbers}`, ourTag: '', target: 'sip:demo@192.0.2.2', cseq: 1, reliable };
  }

  /** A call that was answered and acknowledged, if the application wanted it. */
  private establish(): LiveDialog {
    const dialog = this.newDialog();
    const { stack, report } = this;
    const before = stack.sent.length;
    stack.datagram(this.invite(dialog), dialog.reliable ? stack.tcp : stack.udp);
    report.calls++;
    for (const sent of stack.sent.slice(before)) {
      const parsed = parseMessage(Uint8Array.from(sent));
      if (!parsed.ok || parsed.message.kind !== 'response' || parsed.message.callId !== dialog.callId) continue;
      report.sent++;
      dialog.ourTag = parsed.message.to.parameters.get('tag') ?? dialog.ourTag;
    }
    stack.datagram(this.request('ACK', dialog), dialog.reliable ? stack.tcp : stack.udp);
    return dialog;
  }

  private invite(dialog: LiveDialog): Uint8Array {
    return this.request('INVITE', dialog, this.random.chance(0.9) ? this.sdp() : '');
  }

  private inDialog(dialog: LiveDialog): Uint8Array {
    const { random } = this;
    const method = random.pick(IN_DIALOG);
    if (method !== 'ACK' && method !== 'CANCEL' && random.chance(0.95)) dialog.cseq++;
    const withSdp = ['INVITE', 'UPDATE', 'PRACK', 'ACK'].includes(method) && random.chance(0.6);
    return this.request(method, dialog, withSdp ? this.sdp() : random.chance(0.1) ? 'Signal=5\r\nDuration=160' : '');
  }

  /** With the right password, so that damage may get as far as the registrar's own rules. */
  private register(): Uint8Array {
    const { random } = this;
    const to = { ...this.newDialog(), target: 'sip:192.0.2.2', to: 'sip:phone@192.0.2.2' };
    const contacts = Array.from({ length: random.below(3) }, () => `Contact: ${this.contact()}`);
    return this.request('REGISTER', to, '', [this.stack.credentials('REGISTER', to.target), ...contacts]);
  }

  private contact(): string {
    const { random } = this;
    return random.chance(0.5) ? random.pick(CONTACTS) : `<sip:phone@192.0.2.1:${5000 + random.below(30)}>`;
  }

  /** Text to a room, or to a user. */
  private message(): Uint8Array {
    const to = { ...this.newDialog(), target: this.random.pick(['sip:demo@192.0.2.2', 'sip:phone@192.0.2.2']) };
    return this.request('MESSAGE', to, 'Hello', [this.stack.credentials('MESSAGE', to.target)]);
  }

  private request(method: string, dialog: LiveDialog, body = '', fields: readonly string[] = []): Buffer {
    const { random } = this;
    const { callId, theirTag, ourTag, target, cseq, reliable } = dialog;
    const extras = Array.from({ length: random.below(3) }, () => random.pick(EXTRA_HEADERS));
    const type = TYPES[method] ?? (body.startsWith('Signal') ? 'application/dtmf-relay' : 'application/sdp');
    const lines = [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/${reliable ? 'TCP' : 'UDP'} 192.0.2.1:5070;branch=z9hG4bK-${callId}-${cseq}-${method === 'ACK' ? random.below(2) : ''}`,
      `From: <sip:phone@192.0.2.1>;tag=${theirTag}`,
      `To: <${dialog.to ?? 'sip:demo@192.0.2.2'}>${ourTag === '' ? '' : `;tag=${ourTag}`}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      'Max-Forwards: 70',
      ...(method === 'REGISTER' ? [] : ['Contact: <sip:phone@192.0.2.1:5070>']),
      ...fields,
      ...extras,
      ...(body === '' ? [] : [`Content-Type: ${type}`]),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  /** To a request of ours, or what we sent ourselves, back to us. */
  private response(): Uint8Array {
    const { random, stack } = this;
    const sent = stack.sent.length === 0 ? null : random.pick(stack.sent);
    const request = sent === null ? null : requestIn(sent);
    if (sent === null || request === null) return sent ?? random.pick(TORTURE);
    const status = random.pick([
      100, 180, 183, 200, 202, 301, 302, 401, 407, 408, 422, 481, 486, 488, 491, 500, 503, 603,
    ]);
    const tag = request.to.parameters.has('tag') || status === 100 ? '' : `;tag=${random.below(3)}`;
    const body = random.chance(0.5) && status < 300 ? this.sdp() : '';
    const lines = [
      `SIP/2.0 ${status} Whatever`,
      ...request.headers.all('via').map((via) => `Via: ${via}`),
      `From: ${request.headers.get('from')}`,
      `To: ${request.headers.get('to')}${tag}`,
      `Call-ID: ${request.callId}`,
      `CSeq: ${request.headers.get('cseq')}`,
      'Contact: <sip:phone@192.0.2.1:5070>',
      ...Array.from({ length: random.below(3) }, () => random.pick(EXTRA_HEADERS)),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  private sdp(): string {
    const { random } = this;
    const { offer } = random.pick(PHONE_OFFERS);
    return random.chance(0.4) ? mangle(offer, () => random.fraction()) : offer;
  }
}
