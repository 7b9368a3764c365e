import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderProblems } from '../../src/config/problem.ts';
import { configOf, load, problemsOf, temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
const messagesOf = (name: string, content: string | Uint8Array) =>
  problemsOf(load(folder.write(name, content))).map(({ message }) => message);

describe('files that are no configuration', () => {
  it('says that a file is missing and how to get one', () => {
    const [problem] = problemsOf(load(join(folder.path, 'nowhere.yaml')));
    expect(problem?.message).toMatch(/no such file.*nightshift init/);
    expect(problem?.place).toBeNull();
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' \n\n'],
    ['comments only', '# name: home\n'],
    ['a null', '~\n'],
  ])('calls a file with %s empty', (name, content) => {
    expect(messagesOf(`${name}.yaml`, content)).toEqual([expect.stringMatching(/is empty/)]);
  });

  it('refuses a folder, a large file, NUL bytes and broken UTF-8, each with its reason', () => {
    expect(problemsOf(load(folder.path))[0]?.message).toMatch(/is a folder/);
    expect(messagesOf('large.yaml', `name: ${'x'.repeat(1024 * 1024)}\n`)[0]).toMatch(/1\.0 MB.*at most 1 MB/);
    expect(messagesOf('nul.yaml', 'name: a\0b\n')[0]).toMatch(/NUL bytes/);
    expect(messagesOf('latin.yaml', Buffer.from([0x6e, 0x3a, 0x20, 0xe4, 0x0a]))[0]).toMatch(/UTF-8/);
  });

  it('does not wait for a named pipe that nobody writes to', () => {
    const pipe = join(folder.path, 'pipe.yaml');
    execFileSync('mkfifo', [pipe]);
    expect(problemsOf(load(pipe))[0]?.message).toMatch(/not an ordinary file/);
  });

  it.runIf(process.getuid?.() !== 0)('says that a file may not be read', () => {
    const file = folder.write('locked.yaml', 'name: home\n');
    chmodSync(file, 0o000);
    expect(problemsOf(load(file))[0]?.message).toMatch(/permission denied/);
  });

  it.each([
    ['a list', '- a\n- b\n', /names and values were expected/],
    ['a word', 'hello\n', /names and values were expected/],
    ['HTML', '<!doctype html><html><body>x</body></html>\n', /names and values were expected/],
  ])('refuses %s at the top', (name, content, expected) => {
    expect(messagesOf(`${name}.yaml`, content)[0]).toMatch(expected);
  });

  it.each([
    ['a tab in the indentation', 'services:\n\tapi:\n\t\tmanager: systemd\n', 2, /tab/],
    ['an open quote', 'name: "home\nmode: act\n', 2, /missing/],
    ['an open bracket', 'services: { api: { manager: systemd }\n', 1, /missing|not expected|indentation/],
    ['two documents', 'name: a\n---\nname: b\n', 2, /second document/],
    ['an alias of nothing', 'name: *home\n', 1, /alias/],
  ])('shows the line of %s', (name, content, line, expected) => {
    const [problem] = problemsOf(load(folder.write(`${name}.yaml`, content)));
    expect(problem?.message).toMatch(expected);
    expect(problem?.place?.line).toBeGreaterThanOrEqual(line);
    expect(problem?.source).not.toBeNull();
  });

  it('refuses aliases that multiply without end', () => {
    const rows = Array.from({ length: 12 }, (_, index) =>
      index === 0
        ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
        : `a${index}: &a${index} [${Array(9)
            .fill(`*a${index - 1}`)
            .join(', ')}]`,
    );
    expect(messagesOf('bomb.yaml', `${rows.join('\n')}\n`)[0]).toMatch(/aliases/);
  });

  it('reads a file with a byte order mark, with CRLF, and with a tab inside of a line', () => {
    const file = folder.write(
      'windows.yaml',
      '\ufeffname: home\r\nmode:\tact\r\nservices:\r\n  api:\r\n    manager: systemd\r\n',
    );
    const config = configOf(load(file));
    expect([config.name, config.mode, config.services.get('api')?.unit]).toEqual(['home', 'act', 'api']);
  });

  it('counts lines and columns right in a file with a byte order mark and CRLF', () => {
    const [problem] = problemsOf(load(folder.write('bom.yaml', '\ufeffmode: atc\r\nname: home\r\n')));
    expect(problem?.place).toEqual({ line: 1, column: 7, length: 3 });
    const text = renderProblems([problem ?? expect.fail()], { colour: false });
    expect(text).toContain('\n    mode: atc\n          ^^^  observe, propose or act');
  });

  it('takes an empty map, and settings with nothing behind the colon, as left out', () => {
    const file = folder.write(
      'sparse.yaml',
      'name: home\nmodels:\nservices:\n  api:\n    manager: systemd\n    checks:\n    depends_on:\n',
    );
    expect([...configOf(load(file)).services.keys()]).toEqual(['machine', 'api']);
    expect([...configOf(load(folder.write('braces.yaml', '{}\n'))).services.keys()]).toEqual(['machine']);
  });

  it('does not lose a service with nothing behind its name', () => {
    const [problem] = problemsOf(load(folder.write('bare.yaml', 'services:\n  api:\n')));
    expect(problem?.path).toBe('services.api');
  });

  it('follows anchors and merged maps', () => {
    const file = folder.write(
      'anchors.yaml',
      'services:\n  a: &base\n    manager: systemd\n    hold: 10s\n  b:\n    <<: *base\n    unit: bee\n',
    );
    const b = configOf(load(file)).services.get('b');
    expect([b?.manager, b?.hold, b?.unit]).toEqual(['systemd', 10_000, 'bee']);
  });
});
