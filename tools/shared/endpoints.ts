import type { CheckKind } from '../../src/config/checks.ts';
import type { Config, Service } from '../../src/config/schema.ts';
import { addressOf, hostAndPort } from '../../src/health/address.ts';
import type { ToolScope } from '../tool.ts';

/** Somewhere the inventory's checks connect to. */
export interface Endpoint {
  /** SERVICE/CHECK. */
  key: string;
  service: string;
  /** The host it is seen from. */
  host: string;
  kind: CheckKind;
  address: string;
  port: number;
  tls: boolean;
  /** What is asked for over HTTP. */
  url: URL | null;
  /** The name the certificate must be for; null where none is checked. */
  serverName: string | null;
}

const USUAL_PORT: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'redis:': 6379,
  'rediss:': 6379,
  'postgres:': 5432,
  'postgresql:': 5432,
};

/** The endpoints of a service's checks, in the order of the checks. */
function endpointsOf(service: Service): Endpoint[] {
  return service.checks.flatMap(({ key, kind, settings }): Endpoint[] => {
    const common = { key, service: service.name, host: service.host, kind };
    const fromUrl = (text: string, http: boolean): Endpoint[] => {
      const url = URL.parse(text);
      if (!url) return [];
      const address = addressOf(url);
      const tls = url.protocol === 'https:' || url.protocol === 'rediss:';
      const port = Number(url.port) || USUAL_PORT[url.protocol] || 0;
      return [
        {
          ...common,
          address: address || 'localhost',
          port,
          tls,
          url: http ? url : null,
          serverName: tls ? address : null,
        },
      ];
    };
    const fromAddress = (text: string, tls: boolean, name?: string): Endpoint[] => {
      const { address, port } = hostAndPort(text);
      return [{ ...common, address, port, tls, url: null, serverName: tls ? (name ?? address) : null }];
    };
    if ('http' in settings) return fromUrl(settings.http, true);
    if ('ollama' in settings) return fromUrl(new URL('/api/version', settings.ollama).href, true);
    if ('prometheus' in settings) return fromUrl(new URL('/-/healthy', settings.prometheus).href, true);
    if ('metric' in settings && 'url' in settings.metric) return fromUrl(settings.metric.url, true);
    if ('redis' in settings) return fromUrl(settings.redis, false);
    if ('postgres' in settings) return fromUrl(settings.postgres, false);
    if ('tcp' in settings) return fromAddress(settings.tcp, false);
    if ('certificate' in settings && isServer(settings.certificate))
      return fromAddress(settings.certificate, true, settings.server_name);
    return [];
  });
}

/** HOST:PORT, and not a file. */
const isServer = (text: string): boolean => /^(\[[0-9a-f:]+\]|[^/\s:]+):\d{1,5}$/i.test(text);

/** Every endpoint of the scope. */
export const endpointsIn = (scope: ToolScope, config: Config): Endpoint[] =>
  scope.services.flatMap((name) => {
    const service = config.services.get(name);
    return service === undefined ? [] : endpointsOf(service);
  });
