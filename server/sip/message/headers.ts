/** Compact forms (RFC 3261 §7.3.3 and the registry) to the names that we use inside. */
const COMPACT_FORMS: ReadonlyArray<readonly [string, string]> = [
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
];

/** Names whose usual capitalisation is not that of `Max-Forwards`. */
const IRREGULAR_NAMES = [
  'Call-ID',
  'CSeq',
  'MIME-Version',
  'P-DCS-LAES',
  'RAck',
  'RSeq',
  'SIP-ETag',
  'SIP-If-Match',
  'WWW-Authenticate',
];

/** The names of nearly every message, as they are usually written. */
const USUAL_NAMES = [
  'Accept',
  'Allow',
  'Allow-Events',
  'Authorization',
  'Contact',
  'Content-Disposition',
  'Content-Length',
  'Content-Type',
  'Date',
  'Event',
  'Expires',
  'Flow-Timer',
  'From',
  'Max-Forwards',
  'Min-SE',
  'P-Asserted-Identity',
  'Path',
  'Proxy-Authorization',
  'Record-Route',
  'Require',
  'Retry-After',
  'Route',
  'Server',
  'Service-Route',
  'Session-Expires',
  'Supported',
  'To',
  'User-Agent',
  'Via',
];

/** By every form in which a usual name is met. Unknown names are never kept: they are the sender's to choose. */
const INTERNAL_NAMES = new Map<string, string>();
const WRITTEN_NAMES = new Map<string, string>();
for (const name of [...IRREGULAR_NAMES, ...USUAL_NAMES]) {
  const lower = name.toLowerCase();
  INTERNAL_NAMES.set(name, lower).set(lower, lower);
  WRITTEN_NAMES.set(lower, name);
}
for (const [compact, name] of COMPACT_FORMS) {
  INTERNAL_NAMES.set(compact, name).set(compact.toUpperCase(), name);
}

export interface HeaderField {
  /** Lower case, long form. */
  readonly name: string;
  /** Unfolded, without surrounding white space. */
  readonly value: string;
}

/** The header fields of one message, in order. Names are compared without case, compact forms are the long ones. */
export class Headers {
  private fields: HeaderField[] = [];

  /** Lower case, long form. */
  static nameOf(name: string): string {
    const known = INTERNAL_NAMES.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    return INTERNAL_NAMES.get(lower) ?? lower;
  }

  /** In its usual capitalisation, for sending. */
  static writtenNameOf(name: string): string {
    const known = WRITTEN_NAMES.get(name);
    return known ?? name.replace(/(^|-)[a-z]/g, (initial) => initial.toUpperCase());
  }

  /** The first field's value. */
  get(name: string): string | undefined {
    const key = Headers.nameOf(name);
    for (const field of this.fields) {
      if (field.name === key) return field.value;
    }
    return undefined;
  }

  /** Every field's value, one entry a header line: a comma-separated line is one entry (see `splitList`). */
  all(name: string): string[] {
    const key = Headers.nameOf(name);
    const values: string[] = [];
    for (const field of this.fields) {
      if (field.name === key) values.push(field.value);
    }
    return values;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  add(name: string, value: string): this {
    this.fields.push({ name: Headers.nameOf(name), value });
    return this;
  }

  /** Before all other fields: for Via and Record-Route. */
  prepend(name: string, value: string): this {
    this.fields.unshift({ name: Headers.nameOf(name), value });
    return this;
  }

  /** Replaces all fields of that name by one, at the place of the first. */
  set(name: string, value: string): this {
    const key = Headers.nameOf(name);
    const first = this.fields.findIndex((field) => field.name === key);
    if (first < 0) return this.add(key, value);
    this.fields = this.fields.filter((field, index) => index === first || field.name !== key);
    this.fields[first] = { name: key, value };
    return this;
  }

  /** Replaces the first field of that name and leaves the others: for the topmost Via. */
  setFirst(name: string, value: string): this {
    const key = Headers.nameOf(name);
    const first = this.fields.findIndex((field) => field.name === key);
    if (first < 0) return this.add(key, value);
    this.fields[first] = { name: key, value };
    return this;
  }

  delete(name: string): this {
    const key = Headers.nameOf(name);
    this.fields = this.fields.filter((field) => field.name !== key);
    return this;
  }

  /** Fields of their own; a change to one is none to the other. */
  clone(): Headers {
    const copy = new Headers();
    copy.fields = this.fields.slice();
    return copy;
  }

  [Symbol.iterator](): Iterator<HeaderField> {
    return this.fields[Symbol.iterator]();
  }
}
