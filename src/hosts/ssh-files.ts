import { randomBytes } from 'node:crypto';
import { failure, type Outcome, success } from '../base/outcome.ts';
import type { FileFacts, FileText } from './host.ts';
import type { FileOperations } from './local-files.ts';
import type { RemoteResult, SshConnection } from './ssh-connection.ts';
import * as scripts from './ssh-scripts.ts';
import { continuationBytes } from './tail-buffer.ts';

const DEFAULT_TEXT_BYTES = 256 * 1024;
const DEFAULT_WHOLE_BYTES = 1024 * 1024;
const TIMEOUT_MS = 30_000;
const LIST_BYTES = 16 * 1024 * 1024;
const LINKS_AT_ONCE = 200;

/** File operations by scripts of ours on the far side: POSIX tools, and `stat` of GNU, busybox or macOS. */
export function createSshFiles(connection: SshConnection): FileOperations {
  const run = async (
    what: string,
    script: string,
    args: readonly string[],
    extra: Extra = {},
  ): Promise<Outcome<Buffer>> => {
    if (args.some((argument) => argument.includes('\0')))
      return failure(`could not ${what}: a path contains a NUL byte`);
    const facts = await connection.facts();
    if (!facts.ok) return facts;
    const dialect = facts.value.platform === 'darwin' ? scripts.macDialect : scripts.linuxDialect;
    const ran = await connection.remote({
      script: `${dialect}\n${script}`,
      args,
      timeoutMs: TIMEOUT_MS,
      maxBytes: extra.maxBytes ?? 64 * 1024,
      ...(extra.input === undefined ? {} : { input: extra.input }),
    });
    return ran.exitCode === 0 && ran.failure === undefined
      ? success(ran.stdout)
      : failure(`could not ${what}: ${why(ran)}`);
  };
  const done = (outcome: Outcome<Buffer>): Outcome<void> => (outcome.ok ? success(undefined) : outcome);

  const read = async (path: string, maxBytes: number, from: number | 'end'): Promise<Outcome<Span>> => {
    const out = await run(`read ${path}`, scripts.READ, [path, String(maxBytes), String(from)], {
      maxBytes: maxBytes + 64,
    });
    if (!out.ok) return out;
    const lineEnd = out.value.indexOf('\n');
    const [size = 0, start = 0] = out.value.subarray(0, lineEnd).toString().split(' ').map(Number);
    const bytes = out.value.subarray(lineEnd + 1);
    return success({ bytes, from: start, sizeBytes: Math.max(size, start + bytes.length) });
  };

  const linkTargets = async (entries: FileFacts[]): Promise<Outcome<FileFacts[]>> => {
    const links = entries.filter((entry) => entry.kind === 'link');
    for (let index = 0; index < links.length; index += LINKS_AT_ONCE) {
      const group = links.slice(index, index + LINKS_AT_ONCE);
      const out = await run(
        'read links',
        scripts.READ_LINKS,
        group.map((entry) => entry.path),
        { maxBytes: LIST_BYTES },
      );
      if (!out.ok) return out;
      const targets = out.value.toString().split('\0');
      for (const [at, entry] of group.entries()) entry.target = (targets[at] ?? '').replace(/\n$/, '');
    }
    return success(entries);
  };

  return {
    readFile: async (path, { maxBytes = DEFAULT_TEXT_BYTES, from = 0, fromEnd = false } = {}) => {
      const span = await read(path, maxBytes, fromEnd ? 'end' : Math.max(0, from));
      return span.ok ? success(textOf(span.value, fromEnd)) : span;
    },
    readBytes: async (path, { maxBytes = DEFAULT_WHOLE_BYTES } = {}) => {
      const span = await read(path, maxBytes + 1, 0);
      if (!span.ok) return span;
      const { bytes, sizeBytes } = span.value;
      if (bytes.length <= maxBytes) return success(new Uint8Array(bytes));
      return failure(`could not read ${path}: it has ${sizeBytes} bytes, more than the ${maxBytes} allowed here`);
    },
    writeFile: async (path, content, options = {}) => {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      const mode = options.mode === undefined ? '' : options.mode.toString(8);
      const args = [path, `.nightshift-${randomBytes(6).toString('hex')}`, String(bytes.length), mode];
      return done(await run(`write ${path}`, scripts.WRITE, args, { input: bytes }));
    },
    fileFacts: async (path) => {
      const token = randomBytes(6).toString('hex');
      const out = await run(`look at ${path}`, scripts.FACTS, [path, token]);
      if (!out.ok) return out;
      const [entry] = parseFacts(out.value.toString(), token);
      if (!entry) return success(null);
      const linked = await linkTargets([{ ...entry, path }]);
      return linked.ok ? success(linked.value[0] ?? null) : linked;
    },
    list: async (directory) => {
      const token = randomBytes(6).toString('hex');
      const out = await run(`list ${directory}`, scripts.LIST, [directory, token], { maxBytes: LIST_BYTES });
      if (!out.ok) return out;
      return linkTargets(parseFacts(out.value.toString(), token).sort((a, b) => (a.path < b.path ? -1 : 1)));
    },
    rename: async (from, to) => done(await run(`move ${from} to ${to}`, scripts.RENAME, [from, to])),
    remove: async (path) => done(await run(`remove ${path}`, scripts.REMOVE, [path])),
    relink: async (link, target) => {
      const args = [link, target, `.nightshift-${randomBytes(6).toString('hex')}`];
      return done(await run(`point ${link} at ${target}`, scripts.RELINK, args));
    },
  };
}

interface Extra {
  maxBytes?: number;
  input?: Uint8Array;
}

interface Span {
  bytes: Buffer;
  from: number;
  sizeBytes: number;
}

function textOf({ bytes, from, sizeBytes }: Span, fromEnd: boolean): FileText {
  const halved = fromEnd && from > 0 ? continuationBytes(bytes) : 0;
  const text = bytes.subarray(halved).toString('utf8');
  return { text, sizeBytes, from: from + halved, truncated: from > 0 || from + bytes.length < sizeBytes };
}

function why(ran: RemoteResult): string {
  const said = ran.stderr
    .toString()
    .trim()
    .replace(/\s*\n\s*/g, '; ');
  return ran.reason ?? (said || `exit code ${ran.exitCode}`);
}

/**
 * Entries as the scripts print them, each led by a token made up for this call: a file name may contain anything, also
 * a line break and what looks like another entry.
 */
export function parseFacts(output: string, token: string): FileFacts[] {
  return output
    .split(`${token} `)
    .slice(1)
    .flatMap((record) => {
      const found = /^(\w+) (\d+) (\d+) (\d+) (\d+) (\d+) (.*)\n$/s.exec(record);
      if (!found) return [];
      const [, mode = '', size, modified, owner, group, inode, path = ''] = found;
      const bits = mode.startsWith('0') ? Number.parseInt(mode, 8) : Number.parseInt(mode, 16);
      return {
        path,
        kind: kindOf(bits),
        sizeBytes: Number(size),
        modifiedAt: Number(modified) * 1000,
        mode: bits & 0o7777,
        owner: Number(owner),
        group: Number(group),
        inode: Number(inode),
      };
    });
}

/** The file type bits of stat(2). */
const KINDS = new Map<number, FileFacts['kind']>([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'link'],
  [0o140000, 'socket'],
]);

const kindOf = (bits: number): FileFacts['kind'] => KINDS.get(bits & 0o170000) ?? 'other';
