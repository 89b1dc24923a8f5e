import { getSystemErrorName } from 'node:util';

/** Of 64-bit Linux on x86 and ARM, little-endian: the numbers that `system-udp` knows the system by. */
const AF_UNSPEC = 0;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_TIMESTAMPNS = 35;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_TCLASS = 67;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const EAGAIN = 11;
const CLOCK_REALTIME = 0;

/** Expedited forwarding, for telephony (RFC 4594 §4.1): DSCP 46 in the upper six bits. */
const EXPEDITED_FORWARDING = 46 << 2;

/** At most so many packets a call; a socket that is read every 20 ms has one or two. */
const BATCH = 16;
const PACKET_BYTES = 2048;
/** Sizes of `struct mmsghdr`, `iovec`, `sockaddr_in6` (rounded up) and a control message with a `timespec` (and room). */
const HEADER_BYTES = 64;
const VECTOR_BYTES = 16;
const NAME_BYTES = 32;
const CONTROL_BYTES = 64;
/** `sizeof(struct sockaddr_in6)`; of `sockaddr_in` the first 16 are used. */
export const SOCKET_ADDRESS_BYTES = 28;
const INET_ADDRESS_BYTES = 16;

/** Offsets in `struct mmsghdr`. */
const NAME_LENGTH_AT = 8;
const CONTROL_LENGTH_AT = 40;
const FLAGS_AT = 48;
const LENGTH_AT = 56;
/** Offset of the `timespec` after `struct cmsghdr`. */
const TIME_AT = 16;

/** How long the difference between the two clocks is taken for constant. */
const CLOCK_CHECK_MS = 100;

type Fd = number;
type Call = (...args: unknown[]) => number;

interface Calls {
  socket: Call;
  bind: Call;
  connect: Call;
  close: Call;
  setsockopt: Call;
  send: Call;
  sendto: Call;
  recvmmsg: Call;
  clock_gettime: Call;
  inet_pton: Call;
  errno: () => number;
  addressOf: (memory: ArrayBuffer) => number;
}

/** One packet of the last `receive`. */
interface Received {
  /** The packet is in its first `length` octets, until the next `receive`. */
  packet: Uint8Array;
  length: number;
  arrivedMs: number;
}

/**
 * UDP by the system's own calls. Node's sockets wake the process for each packet, and make an object of it and of where
 * it came from, which costs more than all that a mixer does with the packet; this reads many sockets one after the other
 * when their packets are needed, into memory that is there already, with the kernel's own time of arrival.
 */
export class SystemUdp {
  private readonly calls: Calls;
  private readonly words: Uint32Array;
  private readonly headersAddress: number;
  private readonly namesAt: number;
  private readonly controlsAt: number;
  private readonly dataAt: number;
  /** Where each packet of a `receive` goes. */
  private readonly packets: Uint8Array[] = [];
  private readonly clock = new Uint32Array(4);
  /** Wall clock less `performance.now`, milliseconds. */
  private clockOffsetMs = 0;
  private clockReadMs = Number.NEGATIVE_INFINITY;
  private readonly last: Received = { packet: new Uint8Array(0), length: 0, arrivedMs: 0 };

  constructor(calls: Calls) {
    this.calls = calls;
    this.namesAt = BATCH * (HEADER_BYTES + VECTOR_BYTES);
    this.controlsAt = this.namesAt + BATCH * NAME_BYTES;
    this.dataAt = this.controlsAt + BATCH * CONTROL_BYTES;
    const memory = new ArrayBuffer(this.dataAt + BATCH * PACKET_BYTES);
    this.words = new Uint32Array(memory);
    this.headersAddress = calls.addressOf(memory);
    this.layOut(memory);
  }

  /** @throws an error with the system's `code`. */
  open(address: string, port: number): Fd {
    const family = address.includes(':') ? AF_INET6 : AF_INET;
    const fd = this.checked('socket', this.calls.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    try {
      this.set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
      if (family === AF_INET6) this.set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
      // Where the system does not allow it, packets go without a mark.
      this.mark(fd, family);
      const name = new Uint8Array(SOCKET_ADDRESS_BYTES);
      const length = this.writeAddress(name, address, port, family === AF_INET6);
      this.checked('bind', this.calls.bind(fd, name, length));
      return fd;
    } catch (error) {
      this.calls.close(fd);
      throw error;
    }
  }

  close(fd: Fd): void {
    this.calls.close(fd);
  }

  /** Writes a `sockaddr`; returns its length. An IPv6 socket gets IPv4 addresses mapped. */
  writeAddress(name: Uint8Array, address: string, port: number, onIpv6: boolean): number {
    const family = onIpv6 ? AF_INET6 : AF_INET;
    const view = new DataView(name.buffer, name.byteOffset);
    view.setUint16(0, family, true);
    view.setUint16(2, port, false);
    const text = onIpv6 && !address.includes(':') ? `::ffff:${address}` : address;
    if (this.calls.inet_pton(family, text, name.subarray(onIpv6 ? 8 : 4)) !== 1) {
      throw Object.assign(new Error(`${address} is no address of this family`), { code: 'EINVAL' });
    }
    return onIpv6 ? SOCKET_ADDRESS_BYTES : INET_ADDRESS_BYTES;
  }

  /** False when it could not be done. */
  connect(fd: Fd, name: Uint8Array, length: number): boolean {
    return this.calls.connect(fd, name, length) === 0;
  }

  disconnect(fd: Fd): boolean {
    const name = new Uint8Array(INET_ADDRESS_BYTES);
    name[0] = AF_UNSPEC;
    return this.calls.connect(fd, name, name.length) === 0;
  }

  send(fd: Fd, packet: Uint8Array, length: number): boolean {
    return this.calls.send(fd, packet, length, MSG_DONTWAIT) === length;
  }

  sendTo(fd: Fd, packet: Uint8Array, length: number, name: Uint8Array, nameLength: number): boolean {
    return this.calls.sendto(fd, packet, length, MSG_DONTWAIT, name, nameLength) === length;
  }

  /** Reads what is there, at most `BATCH` packets; returns how many, or −1 for an error that a packet of ours caused. */
  receive(fd: Fd): number {
    const count = this.calls.recvmmsg(fd, this.headersAddress, BATCH, MSG_DONTWAIT, null);
    if (count >= 0) return count;
    return this.calls.errno() === EAGAIN ? 0 : -1;
  }

  get mostAtOnce(): number {
    return BATCH;
  }

  /** The packet of the last `receive`, once; null for one that is too long to be media. Lent until the next call. */
  take(index: number, notBeforeMs: number, nowMs: number): Received | null {
    const header = (index * HEADER_BYTES) / 4;
    const length = this.words[header + LENGTH_AT / 4]!;
    const truncated = (this.words[header + FLAGS_AT / 4]! & MSG_TRUNC) !== 0;
    this.words[header + NAME_LENGTH_AT / 4] = SOCKET_ADDRESS_BYTES;
    this.words[header + CONTROL_LENGTH_AT / 4] = CONTROL_BYTES;
    if (truncated) return null;
    this.last.packet = this.packets[index]!;
    this.last.length = length;
    this.last.arrivedMs = Math.min(nowMs, Math.max(notBeforeMs, this.arrivalMs(index, nowMs)));
    return this.last;
  }

  /** Whether the packet came from where `name` says, or else copies there where it came from. */
  sameSource(index: number, name: Uint32Array): boolean {
    const at = (this.namesAt + index * NAME_BYTES) / 4;
    const { words } = this;
    // Family and port, address; the word between them of IPv6 is the flow label.
    if (words[at] === name[0] && words[at + 1] === name[1] && words[at + 2] === name[2]) {
      if (words[at + 3] === name[3] && words[at + 4] === name[4] && words[at + 5] === name[5]) return true;
    }
    for (let word = 0; word < NAME_BYTES / 4; word++) name[word] = words[at + word]!;
    return false;
  }

  private arrivalMs(index: number, nowMs: number): number {
    if (nowMs - this.clockReadMs > CLOCK_CHECK_MS) this.readClock(nowMs);
    const at = (this.controlsAt + index * CONTROL_BYTES + TIME_AT) / 4;
    return milliseconds(this.words, at) - this.clockOffsetMs;
  }

  private readClock(nowMs: number): void {
    this.calls.clock_gettime(CLOCK_REALTIME, this.clock);
    // Read after it, and not when the packets were: what a busy machine does in between must not make them seem older.
    this.clockOffsetMs = milliseconds(this.clock, 0) - performance.now();
    this.clockReadMs = nowMs;
  }

  private layOut(memory: ArrayBuffer): void {
    const view = new DataView(memory);
    const pointer = (at: number, offset: number): void =>
      view.setBigUint64(at, BigInt(this.headersAddress + offset), true);
    for (let index = 0; index < BATCH; index++) {
      const header = index * HEADER_BYTES;
      const vector = BATCH * HEADER_BYTES + index * VECTOR_BYTES;
      const data = this.dataAt + index * PACKET_BYTES;
      pointer(header, this.namesAt + index * NAME_BYTES);
      view.setUint32(header + NAME_LENGTH_AT, SOCKET_ADDRESS_BYTES, true);
      pointer(header + 16, vector);
      view.setUint32(header + 24, 1, true);
      pointer(header + 32, this.controlsAt + index * CONTROL_BYTES);
      view.setUint32(header + CONTROL_LENGTH_AT, CONTROL_BYTES, true);
      pointer(vector, data);
      view.setUint32(vector + 8, PACKET_BYTES, true);
      this.packets.push(new Uint8Array(memory, data, PACKET_BYTES));
    }
  }

  private mark(fd: Fd, family: number): void {
    const value = Int32Array.of(EXPEDITED_FORWARDING);
    this.calls.setsockopt(fd, IPPROTO_IP, IP_TOS, value, value.byteLength);
    if (family === AF_INET6) this.calls.setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, value, value.byteLength);
  }

  private set(fd: Fd, level: number, option: number, value: number): void {
    const memory = Int32Array.of(value);
    this.checked('setsockopt', this.calls.setsockopt(fd, level, option, memory, memory.byteLength));
  }

  private checked(call: string, result: number): number {
    if (result >= 0) return result;
    const code = getSystemErrorName(-this.calls.errno());
    throw Object.assign(new Error(`${call}: ${code}`), { code });
  }
}

/** Of a `timespec`: seconds, of which the lower word suffices until 2106, and nanoseconds. */
function milliseconds(words: Uint32Array, at: number): number {
  return words[at]! * 1000 + words[at + 2]! / 1e6;
}

/** Null where the system is another than this knows, or the library that calls it is not there for it. */
export async function loadSystemUdp(): Promise<SystemUdp | null> {
  const known = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
  if (!known) return null;
  try {
    const { default: koffi } = await import('koffi');
    // The process has the C library loaded, whichever it is.
    const library = koffi.load(null);
    const calls: Calls = {
      socket: library.func('int socket(int, int, int)'),
      bind: library.func('int bind(int, void *, uint32_t)'),
      connect: library.func('int connect(int, void *, uint32_t)'),
      close: library.func('int close(int)'),
      setsockopt: library.func('int setsockopt(int, int, int, void *, uint32_t)'),
      send: library.func('intptr_t send(int, void *, uintptr_t, int)'),
      sendto: library.func('intptr_t sendto(int, void *, uintptr_t, int, void *, uint32_t)'),
      recvmmsg: library.func('int recvmmsg(int, uintptr_t, uint32_t, int, void *)'),
      clock_gettime: library.func('int clock_gettime(int, void *)'),
      inet_pton: library.func('int inet_pton(int, const char *, void *)'),
      errno: () => koffi.errno(),
      addressOf: (memory) => Number(koffi.address(memory)),
    };
    return new SystemUdp(calls);
  } catch {
    return null;
  }
}
