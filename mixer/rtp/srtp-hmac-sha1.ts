import { createHash } from 'node:crypto';
import { writeUint32 } from './rtp-packet.ts';

const BLOCK_LENGTH = 64;
const LENGTH_FIELD = 8;

/** For all instances: a packet is done before the next one begins. */
const schedule = new Int32Array(80);
const state = new Int32Array(5);
/** The end of the message with padding: two blocks at most. */
const tail = new Uint8Array(2 * BLOCK_LENGTH);

/**
 * HMAC-SHA1 (RFC 2104) of packets, with the two key blocks hashed beforehand and nothing allocated.
 *
 * Written here, since a hash object of node:crypto costs more to make than a packet to hash: 1.0 µs for 172 octets
 * against 2.0 µs. SHA-1 (RFC 3174) has neither branches nor table look-ups on secrets, so its time tells nothing.
 */
export class HmacSha1 {
  /** The result of `compute`, 20 octets. */
  readonly mac = new Uint8Array(20);
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK_LENGTH ? createHash('sha1').update(key).digest() : key;
    this.#inner = keyState(short, 0x36);
    this.#outer = keyState(short, 0x5c);
  }

  /** Over the first `length` octets of `data` and then, unless it is -1, the 32-bit number `suffix`; result in `mac`. */
  compute(data: Uint8Array, length: number, suffix: number): void {
    const { mac } = this;
    state.set(this.#inner);
    let offset = 0;
    while (length - offset >= BLOCK_LENGTH) {
      hashBlock(data, offset);
      offset += BLOCK_LENGTH;
    }
    let end = 0;
    while (offset < length) tail[end++] = data[offset++]!;
    if (suffix >= 0) {
      writeUint32(tail, end, suffix);
      end += 4;
    }
    finish(end, BLOCK_LENGTH + length + (suffix >= 0 ? 4 : 0));
    for (let word = 0; word < 5; word++) writeUint32(tail, 4 * word, state[word]!);
    state.set(this.#outer);
    finish(mac.length, BLOCK_LENGTH + mac.length);
    for (let word = 0; word < 5; word++) writeUint32(mac, 4 * word, state[word]!);
  }
}

function keyState(key: Uint8Array, pad: number): Int32Array {
  const block = new Uint8Array(BLOCK_LENGTH).fill(pad);
  for (let index = 0; index < key.length; index++) block[index]! ^= key[index]!;
  state.set([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
  hashBlock(block, 0);
  return state.slice();
}

/** Pads and hashes what stands in `tail` (RFC 3174 §4). `messageLength` is that of the whole message. */
function finish(tailLength: number, messageLength: number): void {
  const blocks = tailLength + 1 + LENGTH_FIELD > BLOCK_LENGTH ? 2 : 1;
  const end = blocks * BLOCK_LENGTH;
  tail[tailLength] = 0x80;
  tail.fill(0, tailLength + 1, end);
  writeUint32(tail, end - 4, messageLength * 8);
  for (let offset = 0; offset < end; offset += BLOCK_LENGTH) hashBlock(tail, offset);
}

/** RFC 3174 §6.1, into `state`. The four rounds are written out: one loop with branches takes more than twice as long. */
function hashBlock(data: Uint8Array, offset: number): void {
  const w = schedule;
  for (let t = 0, at = offset; t < 16; t++, at += 4) {
    w[t] = (data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!;
  }
  for (let t = 16; t < 80; t++) {
    const word = w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!;
    w[t] = (word << 1) | (word >>> 31);
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  for (let t = 0; t < 20; t++) {
    const next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + w[t]! + 0x5a827999) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 20; t < 40; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t]! + 0x6ed9eba1) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 40; t < 60; t++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + w[t]! + 0x8f1bbcdc) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 60; t < 80; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t]! + 0xca62c1d6) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
}
