import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createRedactor, redact } from '../../src/guard/redact.ts';

/** Made up at run time: no secret, not even a false one, stands in this file. */
const letters = (length: number) =>
  randomBytes(length * 2)
    .toString('base64url')
    .replace(/[^A-Za-z0-9]/g, 'x')
    .slice(0, length);
const upper = (length: number) => letters(length).toUpperCase();

const secret = `${letters(12)}7Q`;
const jwt = [{ alg: 'HS256' }, { sub: 'someone' }]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .concat(letters(43))
  .join('.');
const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const cases: Record<string, [text: string, hidden: string, kept?: string]> = {
  'env file': [`DEBUG=1\nDB_PASSWORD=${secret};&x\nPORT=80`, secret, 'PORT=80'],
  'exported, quoted': [`export API_KEY="${secret} ${secret}"`, secret, 'export API_KEY="'],
  yaml: [`  password: ${secret} and more # rotate me`, `${secret} and more`, '# rotate me'],
  json: [`{"user":"bob","clientSecret":"${secret}\\"${secret}","port":80}`, secret, '"port":80'],
  'JSON in JSON': [`"{\\"token\\":\\"${secret}\\",\\"n\\":1}"`, secret, '\\"n\\":1'],
  'inside a quoted message': [`msg="login with password=${secret} failed" level=warn`, secret, 'level=warn'],
  'properties file': [`spring.datasource.password=${secret}`, secret],
  header: [`X-Api-Key: ${secret}`, secret, 'X-Api-Key'],
  'ruby hash': [`:secret_key_base => 'x', "api_key" => "${secret}"`, secret],
  'query string': [`GET /hook?access_token=${secret}&page=2 200`, secret, '&page=2 200'],
  'signed URL': [`https://x.blob/f?sv=1&sig=${secret}${secret}%3D&se=2`, secret, '&se=2'],
  'command line': [`mysqld --user=app --password=${secret} --port 3306`, secret, '--port 3306'],
  'command line with a space': [`redis-cli -h cache --pass ${secret} ping`, secret, 'ping'],
  'argument list': [`["curl", "--token", "${secret}", "http://a"]`, secret, '"http://a"'],
  'redis.conf': [`requirepass ${secret}\nport 6379`, secret, 'port 6379'],
  SQL: [`ALTER USER app WITH PASSWORD '${secret}'`, secret, 'ALTER USER app'],
  XML: [`<dbPassword>${secret}</dbPassword>`, secret, '</dbPassword>'],
  'URL with password': [`postgres://app:${secret}@db:5432/shop?sslmode=off`, secret, '@db:5432/shop?sslmode=off'],
  'redis URL': [`redis://:${secret}@127.0.0.1:6379/0`, secret, '@127.0.0.1:6379/0'],
  'URL with a token': [`https://${letters(32)}@git.host/repo.git`, '', '@git.host/repo.git'],
  bearer: [`> Authorization: Bearer ${secret}`, secret, 'Authorization: Bearer'],
  basic: [
    `curl -H "authorization: Basic ${Buffer.from(`bob:${secret}`).toString('base64')}" http://a`,
    Buffer.from(`bob:${secret}`).toString('base64').replace(/=+$/, ''),
    'http://a',
  ],
  'bearer without its header': [`sent bearer ${secret}${secret}`, secret],
  cookie: [`Set-Cookie: sid=${secret}; Path=/; HttpOnly`, secret],
  'AWS key': [`key AKIA${upper(16)} is denied`, 'AKIA', 'is denied'],
  GitHub: [`remote: ghp_${letters(36)} expired`, 'ghp_', 'expired'],
  'GitHub, fine-grained': [`github_pat_${letters(22)}_${letters(59)}`, 'github_pat_'],
  GitLab: [`glpat-${letters(20)}`, 'glpat-'],
  Slack: [`xoxb-${123456789012}-${letters(24)}`, 'xoxb-'],
  'Slack webhook': [`POST https://hooks.slack.com/services/T${upper(8)}/B${upper(8)}/${letters(24)} 404`, '/B', '404'],
  Stripe: [`sk_live_${letters(24)}`, 'sk_live_'],
  OpenAI: [`invalid key sk-proj-${letters(40)}`, 'sk-proj', 'invalid key'],
  'OpenAI, old': [`sk-${letters(48)}`, 'sk-'],
  Anthropic: [`sk-ant-api03-${letters(40)}`, 'sk-ant'],
  Google: [`AIza${letters(35)}`, 'AIza'],
  npm: [`//registry/:_authToken=npm_${letters(36)}`, 'npm_'],
  Telegram: [`https://api.telegram.org/bot${12345678}:AA${letters(33)}/getMe`, ':AA', '/getMe'],
  JWT: [`jwt ${jwt} has expired`, 'eyJ', 'has expired'],
  'private key': [`before\n${pem}after`, 'PRIVATE KEY', 'after'],
  'private key, escaped': [`{"key":"${pem.replaceAll('\n', '\\n')}","n":1}`, 'PRIVATE KEY', '"n":1'],
  'private key, cut off': [`before ${pem.slice(0, 70)}`, 'PRIVATE KEY', 'before'],
  mail: ['from Bob.Smith+x@mail.example.com: hello', 'Bob.Smith', ': hello'],
  card: ['paid with 4111 1111 1111 1111 today', '4111', 'today'],
  'card, American': ['378282246310005', '3782'],
};

test.each(Object.entries(cases))('replaces: %s', (_name, [text, hidden, kept]) => {
  const result = redact(text);
  expect(result).not.toBe(text);
  if (hidden !== '') expect(result).not.toContain(hidden);
  if (kept !== undefined) expect(result).toContain(kept);
  expect(result).toMatch(/<(secret|personal):[a-z-]+:\d+>/);
  expect(redact(result)).toBe(result);
});

test.each([
  `commit ${createHash('sha1').update('a').digest('hex')} by bob: fix token parsing: done`,
  `sha256:${createHash('sha256').update('a').digest('hex')}`,
  `redis@sha256:${createHash('sha256').update('b').digest('hex')}`,
  `request ${randomUUID()} took 12 ms`,
  'id 11111111-1111-4111-8111-111111111111',
  'v1.2.3 of pkg@4.5.6, pid 8123, at 1795231945088 and 1795231945088123456',
  '/var/lib/app/4111111111111112/data.db and /srv/4111111111111111/x',
  'getty@tty1.service entered failed state, app@blue.socket too, machine@pc',
  'git@github.com:acme/shop.git',
  'max_tokens: 4096, token_count=812, tokens=12, input_tokens: 9',
  'password_file=/run/secrets/db, secret_name: db-creds, token_type=bearer, keys: 4, key=value',
  `token=${'$'}{TOKEN} password: env:DB_PASSWORD secret=file:/run/x api_key=****`,
  'bearer token expired; basic authentication failed; unexpected token: }',
  'pass: 12 fail: 0 auth: enabled password: null token: true',
  'sk-learn-pipeline-with-a-rather-long-name task-sk-1234',
  'http://127.0.0.1:8080/health?page=2 at 10:30:01, 10.0.0.1:5432',
  'user bob from 2001:db8::1 port 22',
  'ECONNREFUSED 127.0.0.1:6379 in Socket.<anonymous> (net.js:12:34)',
])('leaves alone: %s', (text) => {
  expect(redact(text)).toBe(text);
});

test('one instance gives the same secret the same placeholder, and each kind its own numbers', () => {
  const redactor = createRedactor();
  const [one, two] = [`AKIA${upper(16)}`, `AKIA${upper(16)}`];
  expect(redactor.redact(`${one} ${two} ${one}`)).toBe('<secret:aws-key:1> <secret:aws-key:2> <secret:aws-key:1>');
  expect(redactor.redact(`again ${two}, a@b.org`)).toBe('again <secret:aws-key:2>, <personal:email:1>');
});

test('what is known to be secret goes wherever it stands, however it is written', () => {
  const redactor = createRedactor();
  const known = `p"&/${letters(6)}`;
  redactor.know(`${known}\n`);
  redactor.know(`${known}-longer`);
  redactor.know('abc');
  const base64 = Buffer.from(known).toString('base64');
  expect(redactor.redact(`x${known}y ${encodeURIComponent(known)} ${JSON.stringify(known)} ${base64} abc`)).toBe(
    'x<secret:known:1>y <secret:known:1> "<secret:known:1>" <secret:known:1> abc',
  );
  expect(redactor.redact(`${known}-longer`)).toBe('<secret:known:2>');
});

test('what looks like a mark of its own is not taken for one', () => {
  expect(redact('\uE0000\uE001 password=\uE0005\uE001abc')).not.toContain('\uE000');
  expect(redact('<secret:aws-key:7> stays')).toBe('<secret:aws-key:7> stays');
});

const MEGABYTE = 1 << 20;
const hostile = [
  'a',
  '@',
  'a@',
  'a@b.c.',
  'eyJ',
  'eyJaaaaaaaa.',
  '4',
  '4 ',
  'password=',
  'password: ',
  'password="',
  '\\"token\\":',
  '-----BEGIN PRIVATE KEY-----',
  'a-',
  '_',
  '\\',
  '://a:',
  'bearer ',
  'cookie: ',
  'authorization: ',
  ' --password ',
  ' ',
  'a.',
  '\npassword: ',
  '&sig=',
  'xoxb-',
  'sk-',
  'gh',
  '<password>',
  '-a',
  "password '",
  'a=b:',
];

test.each(hostile)('a line of 1 MB of %j takes no longer than its length', (unit) => {
  const text = unit.repeat(Math.ceil(MEGABYTE / unit.length));
  const start = performance.now();
  redact(text);
  // The slowest takes 0.4 s on two busy cores; anything quadratic would take minutes.
  expect(performance.now() - start).toBeLessThan(5000);
});
