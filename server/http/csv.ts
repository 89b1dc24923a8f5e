export type CsvCell = string | number | null | readonly string[];

/** What a spreadsheet takes for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * A table as CSV (RFC 4180), with a line of column names. Text that a spreadsheet would run as a formula begins with an
 * apostrophe more; lists stand in one cell, separated by spaces; null is an empty cell.
 */
export function csvOf(columns: readonly string[], rows: readonly Readonly<Record<string, CsvCell>>[]): string {
  const lines = rows.map((row) => columns.map((column) => cellOf(row[column] ?? null)).join(','));
  return [columns.join(','), ...lines, ''].join('\r\n');
}

function cellOf(cell: CsvCell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = typeof cell === 'string' ? cell : cell.join(' ');
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
