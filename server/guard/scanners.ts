/**
 * What programs that search the net for open SIP servers call themselves, in lower case. Each is looked for anywhere in
 * User-Agent. Only names that no phone, server or monitor has; more can be configured.
 */
const SCANNERS = [
  'friendly-scanner',
  'friendly-request',
  'sipvicious',
  'sundayddr',
  'sip-scan',
  'sipscan',
  'sipcli',
  'sipsscuser',
  'siparmyknife',
  'svmap',
  'svwar',
  'svcrack',
  'vaxsipuseragent',
  'vaxasip',
  'iwar',
  'sivus',
  'pplsip',
  'test agent',
  'eyebeam release 3004t stamp 16741',
  'nm@nm2',
];

/** Whether a User-Agent is that of a scanner. */
export class Scanners {
  private readonly names: readonly string[];

  /** @param further names to look for besides the known ones. */
  constructor(further: readonly string[]) {
    this.names = [...SCANNERS, ...further.map((name) => name.toLowerCase())];
  }

  has(userAgent: string | undefined): boolean {
    if (userAgent === undefined) return false;
    const text = userAgent.toLowerCase();
    return this.names.some((name) => text.includes(name));
  }
}
