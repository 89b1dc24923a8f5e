/** `LONG_TESTS=1`: what has a short form in `npm test` takes its full length, such as half an hour of virtual time. */
export const LONG_TESTS = process.env['LONG_TESTS'] === '1';
