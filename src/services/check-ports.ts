import type { Service } from '../config/schema.ts';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|0\.0\.0\.0|::)$/i;
const USUAL_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'redis:': 6379,
  'rediss:': 6379,
  'postgres:': 5432,
  'postgresql:': 5432,
};

/** The ports of the host itself that the checks of a service connect to. */
export function portsOfChecks(service: Service): number[] {
  const ports = new Set<number>();
  for (const { settings } of service.checks) {
    let port: number | null = null;
    if ('http' in settings) port = portOfUrl(settings.http);
    else if ('tcp' in settings) port = portOfUrl(`tcp://${settings.tcp}`);
    else if ('redis' in settings) port = portOfUrl(settings.redis);
    else if ('postgres' in settings) port = portOfUrl(settings.postgres);
    else if ('ollama' in settings) port = portOfUrl(settings.ollama);
    if (port !== null) ports.add(port);
  }
  return [...ports];
}

function portOfUrl(text: string): number | null {
  const url = URL.parse(text);
  if (!url || !LOOPBACK.test(url.hostname.replace(/^\[|\]$/g, ''))) return null;
  return url.port === '' ? (USUAL_PORTS[url.protocol] ?? null) : Number(url.port);
}
