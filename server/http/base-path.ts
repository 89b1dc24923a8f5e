/** Where the API is; a later, incompatible one gets another number. */
export const BASE_PATH = '/api/v1';

/** `/rooms/a%20room`: where a resource is under it. */
export const pathTo = (...segments: readonly string[]): string => `/${segments.map(encodeURIComponent).join('/')}`;
