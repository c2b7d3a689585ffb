import { Database } from "bun:sqlite";

/** Columns of unsealed text that hold a word. */
export function columnsWith(path: string, word: string): readonly string[] {
  using sqlite = new Database(path, { readonly: true });
  const tables = sqlite
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all();
  return tables.flatMap(({ name }) =>
    sqlite
      .query<Record<string, unknown>, []>(`SELECT * FROM ${name}`)
      .all()
      .flatMap((row) => Object.entries(row))
      .flatMap(([column, value]) => (String(value).includes(word) ? [`${name}.${column}`] : [])),
  );
}
