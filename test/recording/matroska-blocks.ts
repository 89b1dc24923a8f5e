/** A second reader for what mixer/recording writes: elements one after the other, with nothing but their order checked. */

export interface Block {
  atMs: number;
  packet: Buffer;
}

export interface MatroskaFile {
  codecId: string;
  codecPrivate: Buffer;
  title: string;
  sampleRateHz: number;
  blocks: Block[];
}

const PARENTS = new Set([0x18538067, 0x1549a966, 0x1654ae6b, 0xae, 0xe1, 0x1f43b675]);

export function readMatroska(octets: Buffer): MatroskaFile {
  const file: MatroskaFile = { codecId: '', codecPrivate: Buffer.alloc(0), title: '', sampleRateHz: 0, blocks: [] };
  let clusterMs = 0;
  let at = 0;
  const variable = (keepMarker: boolean): number => {
    const first = octets[at]!;
    const length = Math.clz32(first) - 23;
    if (!(at + length <= octets.length)) {
      at = octets.length;
      return 0;
    }
    let value = keepMarker ? first : first & (0xff >> length);
    for (let i = 1; i < length; i++) value = value * 256 + octets[at + i]!;
    at += length;
    return value;
  };
  while (at < octets.length) {
    const id = variable(true);
    const size = variable(false);
    if (PARENTS.has(id)) continue;
    const content = octets.subarray(at, at + size);
    if (size === 0 || content.length < size) break;
    at += size;
    if (id === 0x86) file.codecId = content.toString();
    else if (id === 0x63a2) file.codecPrivate = content;
    else if (id === 0x7ba9) file.title = content.toString();
    else if (id === 0xb5) file.sampleRateHz = content.readDoubleBE();
    else if (id === 0xe7) clusterMs = content.readUIntBE(0, size);
    else if (id === 0xa3) file.blocks.push({ atMs: clusterMs + content.readInt16BE(1), packet: content.subarray(4) });
  }
  return file;
}
