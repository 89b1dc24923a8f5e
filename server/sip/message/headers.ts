/** Compact forms (RFC 3261 §7.3.3 and the registry) to the names that we use inside. */
const LONG_NAMES: Record<string, string> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

export interface HeaderField {
  /** Lower case, long form. */
  readonly name: string;
  /** Unfolded, without surrounding white space. */
  readonly value: string;
}

/** The header fields of one message, in order. Names are compared without case, compact forms are the long ones. */
export class Headers {
  private fields: HeaderField[] = [];

  static nameOf(name: string): string {
    const lower = name.toLowerCase();
    return LONG_NAMES[lower] ?? lower;
  }

  /** The first field's value. */
  get(name: string): string | undefined {
    const key = Headers.nameOf(name);
    return this.fields.find((field) => field.name === key)?.value;
  }

  /** Every field's value, one entry a header line: a comma-separated line is one entry (see `splitList`). */
  all(name: string): string[] {
    const key = Headers.nameOf(name);
    return this.fields.filter((field) => field.name === key).map((field) => field.value);
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

  delete(name: string): this {
    const key = Headers.nameOf(name);
    this.fields = this.fields.filter((field) => field.name !== key);
    return this;
  }

  [Symbol.iterator](): Iterator<HeaderField> {
    return this.fields[Symbol.iterator]();
  }
}
