import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Need } from './lab-case.ts';

const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** The path of a program, or null. */
export async function findProgram(name: string): Promise<string | null> {
  for (const folder of FOLDERS.filter(Boolean)) {
    const path = join(folder, name);
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return null;
}

export const root: Need = {
  name: 'root',
  missing: async () => (process.getuid?.() === 0 ? null : 'it needs root: run the lab with sudo'),
};

export const linux: Need = {
  name: 'linux',
  missing: async () => (process.platform === 'linux' ? null : 'it needs Linux'),
};

/** A program, and the Debian package that brings it. */
export const program = (name: string, debianPackage: string): Need => ({
  name,
  missing: async () =>
    (await findProgram(name)) ? null : `${name} is not installed: apt-get install ${debianPackage}`,
});

const POSTGRES = '/usr/lib/postgresql';

/** The folder of PostgreSQL's own programs, the newest version's, as Debian lays them out. */
export async function postgresPrograms(): Promise<string | null> {
  const versions = await readdir(POSTGRES).catch(() => []);
  const newest = versions.toSorted((one, other) => Number(other) - Number(one))[0];
  return newest === undefined ? null : join(POSTGRES, newest, 'bin');
}

export const postgres: Need = {
  name: 'postgres',
  missing: async () => ((await postgresPrograms()) ? null : 'PostgreSQL is not installed: apt-get install postgresql'),
};
