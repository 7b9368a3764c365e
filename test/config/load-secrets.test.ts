import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderProblems } from '../../src/config/problem.ts';
import { load, loadText, problemsOf, temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
const secret = randomBytes(12).toString('hex');
const inService = (body: string) => `services:\n  api:\n    manager: systemd\n${body.replace(/^/gm, '    ')}\n`;

describe('secrets in the file', () => {
  it.each([
    ['a key of a model', `models:\n  - anthropic: { model: x, key: ${secret} }\n`, 'models[0].anthropic.key'],
    ['a key in quotes', `models:\n  - anthropic:\n      model: x\n      key: "${secret}"\n`, 'models[0].anthropic.key'],
    [
      'a password of a check',
      inService(`checks:\n  - redis: redis://127.0.0.1\n    password: ${secret}`),
      'services.api.checks[0].password',
    ],
    [
      'a password in a URL of a model',
      `models:\n  - ollama: { model: x, url: "http://me:${secret}@127.0.0.1:1" }\n`,
      'models[0].ollama.url',
    ],
    [
      'a password in a URL of a check',
      inService(`checks:\n  - postgres: postgres://app:${secret}@127.0.0.1/app`),
      'services.api.checks[0].postgres',
    ],
    ['a password in a webhook', `escalate: { webhook: "https://me:${secret}@example.com/" }\n`, 'escalate.webhook'],
    ['a token by its form', inService(`note: use sk-${secret} there`), 'services.api.note'],
  ])('refuses %s and does not show it', (_, text, path) => {
    const problems = problemsOf(loadText(folder, text));
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(renderProblems(problems, { colour: false })).not.toContain(secret);
    expect(JSON.stringify(problems)).not.toContain(secret);
  });

  it('does not show one that stands on the line of another mistake', () => {
    for (const text of [
      inService(`checks:\n  - { redis: "redis://127.0.0.1", pasword: ${secret} }`),
      `models:\n  - anthropic: { modle: x, key: ${secret} }\n`,
      inService(`environment: { API_TOKEN: ${secret}, X: [1] }`),
    ]) {
      const rendered = renderProblems(problemsOf(loadText(folder, text)), { colour: false });
      expect(rendered).not.toContain(secret);
      expect(rendered).toContain('****');
    }
  });

  it('does not show one in a file that is no YAML', () => {
    const problems = problemsOf(loadText(folder, `a: "\n  password: ${secret}\n b: [\n`));
    expect(renderProblems(problems, { colour: false })).not.toContain(secret);
  });

  it('warns of what may be one in the environment or the arguments of a service', () => {
    const loaded = load(
      folder.write(
        'warn.yaml',
        inService(`environment: { DB_PASSWORD: ${secret}, PORT: "80" }\nstart: [srv, --token, ${secret}]`),
      ),
    );
    expect(loaded.ok && loaded.warnings).toEqual([
      expect.stringContaining('environment.DB_PASSWORD'),
      expect.stringContaining('services.api.start'),
    ]);
    expect(JSON.stringify(loaded.ok && loaded.warnings)).not.toContain(secret);
  });

  it('takes references', () => {
    const text = `models:\n  - anthropic: { model: x, key: env:KEY }\nescalate: { webhook: file:./hook }\n${inService('checks:\n  - { redis: "redis://127.0.0.1", password: file:~/redis }')}`;
    expect(loadText(folder, text).ok).toBe(true);
  });
});
