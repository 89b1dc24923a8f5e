import { existsSync, readFileSync } from 'node:fs';

export interface TortureCase {
  name: string;
  section: string;
  title: string;
  expected: {
    /** `rejected`: refused with `status` before anybody looks at what it means; `dropped`: refused without a word. */
    parse: 'ok' | 'rejected' | 'dropped';
    /**
     * The final status that its sender gets over UDP, where REGISTER needs a password and all calls are taken whose
     * Request-URI can name a room; absent for responses, which get none.
     */
    status?: number;
  };
  /** What else happens over TCP, where a message ends by its Content-Length alone (RFC 3261 §18.3). */
  overTcp?: {
    /** All final statuses, where they are others. */
    statuses?: readonly number[];
    /** Where the next message begins cannot be known, so the server closes the connection. */
    closed?: boolean;
  };
}

function overTcp(torture: TortureCase, outcome: NonNullable<TortureCase['overTcp']>): TortureCase {
  return { ...torture, overTcp: outcome };
}

function accepted(section: string, name: string, title: string, status?: number): TortureCase {
  return { name, section, title, expected: { parse: 'ok', ...(status === undefined ? {} : { status }) } };
}

function rejected(section: string, name: string, title: string, status = 400): TortureCase {
  return { name, section, title, expected: { parse: 'rejected', status } };
}

function dropped(section: string, name: string, title: string): TortureCase {
  return { name, section, title, expected: { parse: 'dropped' } };
}

export const RFC_4475: readonly TortureCase[] = [
  // To has a tag of a dialog that nobody knows.
  accepted('3.1.1.1', 'wsinv', 'A Short Tortuous INVITE', 481),
  accepted('3.1.1.2', 'intmeth', 'Wide Range of Valid Characters', 501),
  accepted('3.1.1.3', 'esc01', 'Valid Use of the % Escaping Mechanism', 404),
  accepted('3.1.1.4', 'escnull', 'Escaped Nulls in URIs', 401),
  accepted('3.1.1.5', 'esc02', 'Use of % When It Is Not an Escape', 501),
  accepted('3.1.1.6', 'lwsdisp', 'Message with No LWS between Display Name and <', 200),
  accepted('3.1.1.7', 'longreq', 'Long Values in Header Fields', 200),
  // What follows is dropped with the datagram. In a stream it is the next message, with malformed SDP, and five octets
  // more than its Content-Length says.
  overTcp(accepted('3.1.1.8', 'dblreq', 'Extra Trailing Octets in a UDP Datagram', 401), {
    statuses: [401, 400],
    closed: true,
  }),
  accepted('3.1.1.9', 'semiuri', 'Semicolon-Separated Parameters in URI User Part', 404),
  accepted('3.1.1.10', 'transports', 'Varied and Unknown Transport Types', 200),
  // MESSAGE is for users, who must say who they are before anybody looks at what they send.
  accepted('3.1.1.11', 'mpart01', 'Multipart MIME Message', 401),
  accepted('3.1.1.12', 'unreason', 'Unusual Reason Phrase'),
  accepted('3.1.1.13', 'noreason', 'Empty Reason Phrase'),

  rejected('3.1.2.1', 'badinv01', 'Extraneous Header Field Separators'),
  // In a stream the rest may still come.
  overTcp(rejected('3.1.2.2', 'clerr', 'Content Length Larger Than Message'), { statuses: [] }),
  overTcp(rejected('3.1.2.3', 'ncl', 'Negative Content-Length'), { closed: true }),
  rejected('3.1.2.4', 'scalar02', 'Request Scalar Fields with Overlarge Values'),
  dropped('3.1.2.5', 'scalarlg', 'Response Scalar Fields with Overlarge Values'),
  rejected('3.1.2.6', 'quotbal', 'Unterminated Quoted String in Display Name'),
  rejected('3.1.2.7', 'ltgtruri', '<> Enclosing Request-URI'),
  rejected('3.1.2.8', 'lwsruri', 'Malformed SIP Request-URI (embedded LWS)'),
  rejected('3.1.2.9', 'lwsstart', 'Multiple SP Separating Request-Line Elements'),
  rejected('3.1.2.10', 'trws', 'SP Characters at End of Request-Line'),
  rejected('3.1.2.11', 'escruri', 'Escaped Headers in SIP Request-URI'),
  // An element that has no use for Date should not reject it.
  accepted('3.1.2.12', 'baddate', 'Invalid Time Zone in Date Header Field', 200),
  rejected('3.1.2.13', 'regbadct', 'Failure to Enclose name-addr URI in <>'),
  rejected('3.1.2.14', 'badaspec', 'Spaces within addr-spec'),
  rejected('3.1.2.15', 'baddn', 'Non-token Characters in Display Name'),
  rejected('3.1.2.16', 'badvers', 'Unknown Protocol Version', 505),
  rejected('3.1.2.17', 'mismatch01', 'Start Line and CSeq Method Mismatch'),
  // The RFC would have 501 and takes 400 as well; nobody can tell which of the two methods is meant.
  rejected('3.1.2.18', 'mismatch02', 'Unknown Method with CSeq Method Mismatch'),
  dropped('3.1.2.19', 'bigcode', 'Overlarge Response Code'),

  // The transaction layer falls back to matching as RFC 2543 did; 400 would do as well.
  accepted('3.2.1', 'badbranch', 'Missing Transaction Identifier', 200),

  rejected('3.3.1', 'insuf', 'Missing Required Header Fields'),
  accepted('3.3.2', 'unkscm', 'Request-URI with Unknown Scheme', 416),
  accepted('3.3.3', 'novelsc', 'Request-URI with Known but Atypical Scheme', 416),
  accepted('3.3.4', 'unksm2', 'Unknown URI Schemes in Header Fields', 400),
  accepted('3.3.5', 'bext01', 'Proxy-Require and Require', 420),
  accepted('3.3.6', 'invut', 'Unknown Content-Type', 415),
  accepted('3.3.7', 'regaut01', 'Unknown Authorization Scheme', 401),
  rejected('3.3.8', 'multi01', 'Multiple Values in Single Value Required Fields'),
  overTcp(rejected('3.3.9', 'mcl01', 'Multiple Content-Length Values'), { closed: true }),
  // Well-formed; the transport drops it, as its topmost Via is not of ours (RFC 3261 §18.1.2).
  accepted('3.3.10', 'bcast', '200 OK Response with Broadcast Via Header Field Value'),
  // 483 is for proxies; an endpoint handles it as any other.
  accepted('3.3.11', 'zeromf', 'Max-Forwards of Zero', 200),
  accepted('3.3.12', 'cparam01', 'REGISTER with a Contact Header Parameter', 401),
  accepted('3.3.13', 'cparam02', 'REGISTER with a url-parameter', 401),
  accepted('3.3.14', 'regescrt', 'REGISTER with a URL Escaped Header', 401),
  accepted('3.3.15', 'sdp01', 'Unacceptable Accept Offering', 406),

  // It has no Content-Length.
  overTcp(accepted('3.4.1', 'inv2543', 'INVITE with RFC 2543 Syntax', 200), { statuses: [400], closed: true }),
];

export const RFC_5118: readonly TortureCase[] = [
  accepted('4.1', 'ipv6-good', 'Valid SIP Message with an IPv6 Reference', 401),
  rejected('4.2', 'ipv6-bad', 'Invalid SIP Message with an IPv6 Reference'),
  accepted('4.3', 'port-ambiguous', 'Port Ambiguous in a SIP URI', 401),
  accepted('4.4', 'port-unambiguous', 'Port Unambiguous in a SIP URI', 401),
  accepted('4.5', 'via-received-param-with-delim', 'IPv6 Reference Delimiters in Via Header', 481),
  accepted('4.5', 'via-received-param-no-delim', 'IPv6 Reference Delimiters in Via Header', 200),
  accepted('4.6', 'ipv6-in-sdp', 'SIP Request with IPv6 Addresses in SDP Body', 488),
  accepted('4.7', 'mult-ip-in-header', 'Multiple IP Addresses in SIP Headers', 481),
  accepted('4.8', 'mult-ip-in-sdp', 'Multiple IP Addresses in SDP', 200),
  accepted('4.9', 'ipv4-mapped-ipv6', 'IPv4-Mapped IPv6 Addresses', 488),
  accepted('4.10', 'ipv6-bug-abnf-3-colons', 'IPv6 Reference Bug in RFC 3261 ABNF', 200),
  accepted('4.10', 'ipv6-correct-abnf-2-colons', 'IPv6 Reference Bug in RFC 3261 ABNF', 200),
];

/** Beside this file; the compiled one is in dist, where only code is. */
const MESSAGES = ['./', '../../../test/rfc/']
  .map((path) => new URL(path, import.meta.url))
  .find((directory) => existsSync(new URL('4475/', directory)));

/** The octets of a message of RFC 4475 or 5118. */
export function tortureMessage(rfc: 4475 | 5118, name: string): Buffer {
  return readFileSync(new URL(`${rfc}/${name}.dat`, MESSAGES));
}
