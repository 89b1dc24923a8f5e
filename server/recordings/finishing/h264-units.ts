/** NAL units of H.264 (ITU-T H.264 §7.3.1) as they are in captures: each behind its length, in four octets. */

const LENGTH_OCTETS = 4;
const TYPE_MASK = 0x1f;
const SPS = 7;
const PPS = 8;

/** Their octets, without the lengths. Ends at what is torn off. */
export function* nalUnits(unit: Buffer): Generator<Buffer> {
  for (let at = 0; at + LENGTH_OCTETS < unit.length; ) {
    const start = at + LENGTH_OCTETS;
    const end = start + unit.readUInt32BE(at);
    if (end > unit.length || end === start) return;
    yield unit.subarray(start, end);
    at = end;
  }
}

function isParameterSet(nal: Buffer): boolean {
  const type = nal[0]! & TYPE_MASK;
  return type === SPS || type === PPS;
}

/** The parameter sets in front of a key frame, to be compared. */
export function parameterSets(unit: Buffer): Buffer {
  return Buffer.concat([...nalUnits(unit)].filter(isParameterSet));
}

/** For where they stand once in front of all (ISO/IEC 14496-15 §5.3.3, `avc1`). */
export function withoutParameterSets(unit: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (const nal of nalUnits(unit)) {
    if (isParameterSet(nal)) continue;
    const length = Buffer.alloc(LENGTH_OCTETS);
    length.writeUInt32BE(nal.length);
    pieces.push(length, nal);
  }
  return Buffer.concat(pieces);
}
