/** Where the API is; a later, incompatible one gets another number. */
export const BASE_PATH = '/api/v1';
