/** `LONG_TESTS=1`: what has a short form in `npm test` takes its full length, such as half an hour of virtual time. */
export const LONG_TESTS = process.env['LONG_TESTS'] === '1';

/** All rows of a table with `LONG_TESTS=1`; else those at these places. */
export function shortly<Row>(rows: readonly Row[], ...kept: readonly number[]): Row[] {
  return LONG_TESTS ? [...rows] : kept.map((index) => rows[index]!);
}
