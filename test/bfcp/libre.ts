import { createRequire } from 'node:module';

/** The BFCP codec of libre, which baresip brings: what somebody else makes of the same octets. */
export interface OtherCodec {
  /** One attribute that has a number of 16 bits, and others within it. */
  encode(header: { version: number; responder: boolean; primitive: number }, attributes: OtherAttribute[]): Uint8Array;
  /** As it prints a message: its name and ids, and each attribute on a line. Throws when it cannot read it. */
  print(bytes: Uint8Array): string;
}

export interface OtherAttribute {
  type: number;
  /** As they lie in memory: a number of 16 bits, two octets, a text that ends with 0. */
  value: Uint8Array;
  within?: OtherAttribute[];
}

type Koffi = typeof import('koffi').default;

/** Null: it is not on this system. */
export function loadLibre(): OtherCodec | null {
  const koffi: Koffi = createRequire(import.meta.url)('koffi');
  try {
    return codecOf(koffi, koffi.load('libre.so.0'));
  } catch {
    return null;
  }
}

function codecOf(koffi: Koffi, library: ReturnType<Koffi['load']>): OtherCodec {
  const buffer = koffi.struct('LibreBuffer', { octets: 'void *', size: 'size_t', position: 'size_t', end: 'size_t' });
  koffi.struct('LibrePrinter', { print: 'void *', context: 'void *' });
  const printer = koffi.proto('int LibrePrint(void *text, size_t size, void *context)');
  const allocate = library.func('void *mbuf_alloc(size_t size)');
  const free = library.func('void *mem_deref(void *data)');
  const write = library.func('int mbuf_write_mem(void *buffer, const uint8_t *octets, size_t size)');
  const encode = library.func(
    'int bfcp_msg_encode(void *buffer, uint8_t version, bool responder, int primitive, uint32_t conference, uint16_t transaction, uint16_t user, unsigned int count, ...)',
  );
  const decode = library.func('int bfcp_msg_decode(_Out_ void **message, void *buffer)');
  const print = library.func('int bfcp_msg_print(LibrePrinter *printer, void *message)');
  const octetsOf = (pointer: unknown): Uint8Array => {
    const { octets, end } = koffi.decode(pointer, buffer) as { octets: unknown; end: number };
    return Uint8Array.from(koffi.decode(octets, 'uint8_t', Number(end)) as number[]);
  };
  return {
    encode: ({ version, responder, primitive }, attributes) => {
      const into = allocate(1024) as unknown;
      const given = attributes.flatMap((attribute) => variadic(attribute));
      const error = encode(
        into,
        version,
        responder,
        primitive,
        0x01020304,
        5,
        6,
        attributes.length,
        ...given,
      ) as number;
      if (error !== 0) throw new Error(`libre cannot write it: ${error}`);
      const bytes = octetsOf(into);
      free(into);
      return bytes;
    },
    print: (bytes) => {
      const from = allocate(bytes.length) as unknown;
      write(from, bytes, bytes.length);
      koffi.encode(from, 16, 'size_t', 0);
      const out: unknown[] = [null];
      const error = decode(out, from) as number;
      free(from);
      if (error !== 0) throw new Error(`libre cannot read it: ${error}`);
      const texts: string[] = [];
      const told = koffi.register((text: unknown, size: number) => {
        texts.push(Buffer.from(koffi.decode(text, 'uint8_t', Number(size)) as number[]).toString());
        return 0;
      }, koffi.pointer(printer));
      print({ print: told, context: null }, out[0]);
      koffi.unregister(told);
      free(out[0]);
      return texts.join('');
    },
  };
}

function variadic({ type, value, within = [] }: OtherAttribute): unknown[] {
  const own = ['int', type, 'unsigned int', within.length, 'void *', value];
  return [...own, ...within.flatMap((attribute) => variadic(attribute))];
}
