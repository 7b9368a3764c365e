import { z } from 'zod';
import { excerpt } from '../../src/health/format.ts';
import { endpointsIn } from '../shared/endpoints.ts';
import { oneOf } from '../shared/names.ts';
import { probe } from '../shared/probe.ts';
import { done, failed, lines } from '../shared/say.ts';
import { defineTool } from '../tool.ts';

const output = z.object({
  endpoint: z.string(),
  failure: z.string().nullable(),
  status: z.number().nullable(),
  steps: z.array(z.object({ step: z.string(), ms: z.number(), said: z.string() })),
});

export const probeEndpoint = defineTool({
  name: 'probe_endpoint',
  description:
    'Connects to an endpoint of a check step by step (DNS, connect, TLS, first byte) and says where it stops: dns, refused (nobody listens), timed-out (firewall), no-answer (it hangs), tls, or a status.',
  risk: 'read',
  applies: (scope, config) => endpointsIn(scope, config).length > 0,
  input: (scope, config) =>
    z.strictObject({
      endpoint: oneOf(
        endpointsIn(scope, config).map(({ key }) => key),
        'SERVICE/CHECK',
      ),
      timeout_seconds: z.int().min(1).max(30).default(5),
    }),
  output,
  async run({ endpoint: key, timeout_seconds: seconds }, context) {
    const endpoint = endpointsIn(context.scope, context.config).find((each) => each.key === key);
    if (!endpoint)
      return failed(`${key} has no endpoint to connect to. service_status measures its check.`, {
        endpoint: key,
        failure: 'unknown',
        status: null,
        steps: [],
      });
    const host = context.host(endpoint.host);
    const result = await probe(endpoint, host, seconds * 1000, context.signal);
    const where =
      endpoint.url === null
        ? `${endpoint.address}:${endpoint.port}`
        : `${endpoint.url.protocol}//${endpoint.url.host}${endpoint.url.pathname}`;
    const content = lines(
      `${key} (${where}, seen from ${host.name}): ${result.failure === null ? (result.status === null ? 'reachable' : `HTTP ${result.status}`) : `FAILS with ${result.failure}`}`,
      result.steps.map(({ step, ms, said }) => `  ${step.padEnd(8)} ${ms} ms  ${said}`),
      result.explanation,
      result.body !== '' && `it says: ${excerpt(result.body, 400)}`,
    );
    // A measurement that finds a fault has worked.
    return done(content, { endpoint: key, failure: result.failure, status: result.status, steps: result.steps });
  },
});
