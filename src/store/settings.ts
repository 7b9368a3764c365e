import type { Database } from './database.ts';
import type { Settings } from './store.ts';

/** Small JSON values by name. `null` is how one is taken away, and what a missing one reads as. */
export function createSettings(database: Database): Settings {
  const get = database.prepare<[string], { value: string }>('SELECT value FROM settings WHERE name = ?');
  const set = database.prepare<[string, string]>(
    'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  const remove = database.prepare<[string]>('DELETE FROM settings WHERE name = ?');
  const all = database.prepare<[{ prefix: string }], { name: string; value: string }>(
    'SELECT name, value FROM settings WHERE name >= @prefix AND substr(name, 1, length(@prefix)) = @prefix ORDER BY name',
  );
  const parse = (value: string): unknown => JSON.parse(value);
  return {
    get(name) {
      const row = get.get(name);
      return row ? parse(row.value) : null;
    },
    set(name, value) {
      const text: string | undefined = JSON.stringify(value ?? null);
      if (text === undefined || text === 'null') remove.run(name);
      else set.run(name, text);
    },
    all: (prefix) => all.all({ prefix }).map((row) => ({ name: row.name, value: parse(row.value) })),
  };
}
