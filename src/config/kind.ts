import type { CheckKind } from './checks.ts';

/** A word in a unit's name, an image or a command line, and the kind of service it gives away. First match wins. */
const WORDS: readonly [pattern: RegExp, kind: string][] = [
  [/\b(redis|valkey|keydb)\b/, 'redis'],
  [/\b(postgres|postgresql|postmaster|pgvector|timescaledb)\b/, 'postgres'],
  [/\b(mysql|mysqld|mariadb|mariadbd)\b/, 'mysql'],
  [/\b(mongo|mongod|mongodb)\b/, 'mongodb'],
  [/\bollama\b/, 'ollama'],
  [/\blitellm\b/, 'litellm'],
  [/\bnginx\b/, 'nginx'],
  [/\b(apache2?|httpd)\b/, 'apache'],
  [/\bcaddy\b/, 'caddy'],
  [/\bhaproxy\b/, 'haproxy'],
  [/\btraefik\b/, 'traefik'],
  [/\bgrafana\b/, 'grafana'],
  [/\balertmanager\b/, 'alertmanager'],
  [/\bprometheus\b/, 'prometheus'],
  [/\b(chroma|chromadb)\b/, 'chroma'],
  [/\bqdrant\b/, 'qdrant'],
  [/\b(elasticsearch|opensearch)\b/, 'elasticsearch'],
  [/\brabbitmq\b/, 'rabbitmq'],
  [/\bkafka\b/, 'kafka'],
  [/\bnats\b/, 'nats'],
  [/\b(mosquitto|emqx)\b/, 'mqtt'],
  [/\bmemcached\b/, 'memcached'],
  [/\bminio\b/, 'minio'],
  [/\bmattermost\b/, 'mattermost'],
  [/\b(sshd?)\b/, 'ssh'],
  [/\b(crond?)\b/, 'cron'],
  [/\b(dockerd?)\b/, 'docker'],
  [/\b(supervisord?)\b/, 'supervisor'],
  [/\b(php-fpm)/, 'php'],
  [/\b(gunicorn|uvicorn|hypercorn|celery|uwsgi|python[\d.]*)\b/, 'python'],
  [/\b(puma|unicorn|sidekiq|ruby)\b/, 'ruby'],
  [/\b(node|nodejs|next-server|deno|bun|npm|pm2)\b/, 'node'],
  [/\bjava\b/, 'java'],
];

/** The kind of service that a text such as a unit's name or a command line gives away; undefined when none does. */
export const kindInText = (text: string): string | undefined =>
  WORDS.find(([pattern]) => pattern.test(text.toLowerCase().replaceAll('_', '-')))?.[1];

interface Clues {
  name: string;
  unit?: string | undefined;
  manager: string;
  start?: readonly string[] | undefined;
  match?: string | undefined;
  checks: readonly { kind: CheckKind }[];
}

/** What a service is, from its checks, its name at its manager and its command line; undefined when nothing tells. */
export function guessKind({ name, unit, manager, start, match, checks }: Clues): string | undefined {
  const own = checks.find(({ kind }) => kind === 'redis' || kind === 'postgres' || kind === 'ollama');
  const byName = kindInText(unit ?? '') ?? kindInText(name);
  const byProgram = kindInText((start?.[0] ?? '').split('/').at(-1) ?? '') ?? kindInText(match ?? '');
  // A worker may check the database it needs; its own program says more than that.
  return byName ?? byProgram ?? own?.kind ?? (manager === 'pm2' ? 'node' : undefined);
}
