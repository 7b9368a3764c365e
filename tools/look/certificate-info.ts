import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { messageOf } from '../../src/base/outcome.ts';
import type { Config } from '../../src/config/schema.ts';
import { formatSpan } from '../../src/health/format.ts';
import { shownCertificate } from '../shared/certificates.ts';
import { type Endpoint, endpointsIn } from '../shared/endpoints.ts';
import { oneOf } from '../shared/names.ts';
import { done, failed, lines } from '../shared/say.ts';
import { defineTool, type ToolContext, type ToolScope } from '../tool.ts';

const output = z.object({
  subject: z.string().nullable(),
  issuer: z.string().nullable(),
  endsAt: z.number().nullable().describe('milliseconds since the epoch'),
  daysLeft: z.number().nullable(),
  trusted: z.boolean().nullable(),
});

/** What has a certificate: endpoints with TLS, and certificate checks of a file. */
function certificatesIn(
  scope: ToolScope,
  config: Config,
): { key: string; endpoint: Endpoint | null; file: string; host: string }[] {
  const served = endpointsIn(scope, config).filter(({ tls }) => tls);
  const files = scope.services.flatMap((name) =>
    (config.services.get(name)?.checks ?? []).flatMap(({ key, settings }) =>
      'certificate' in settings && settings.certificate.startsWith('/')
        ? [{ key, endpoint: null, file: settings.certificate, host: config.services.get(name)?.host ?? 'local' }]
        : [],
    ),
  );
  return [...served.map((endpoint) => ({ key: endpoint.key, endpoint, file: '', host: endpoint.host })), ...files];
}

export const certificateInfo = defineTool({
  name: 'certificate_info',
  description:
    'The certificate of a TLS endpoint or file: for whom, by whom, when it ends, whether it is trusted and fits the name. Use it for TLS errors.',
  risk: 'read',
  applies: (scope, config) => certificatesIn(scope, config).length > 0,
  input: (scope, config) =>
    z.strictObject({
      certificate: oneOf(
        certificatesIn(scope, config).map(({ key }) => key),
        'SERVICE/CHECK',
      ),
    }),
  output,
  async run({ certificate: key }, context) {
    const nothing = { subject: null, issuer: null, endsAt: null, daysLeft: null, trusted: null };
    const wanted = certificatesIn(context.scope, context.config).find((each) => each.key === key);
    if (!wanted) return failed(`${key} has no certificate.`, nothing);
    const found =
      wanted.endpoint === null
        ? await fromFile(wanted.file, wanted.host, context)
        : await shownCertificate(wanted.endpoint, context);
    if ('error' in found)
      return failed(`${key}: ${found.error}. probe_endpoint tells where the connection stops.`, nothing);
    const { certificate, distrust, source } = found;
    const endsAt = Date.parse(certificate.validTo);
    const beginsAt = Date.parse(certificate.validFrom);
    const now = context.clock.now();
    const oneLine = (text: string) => text.split('\n').join(', ');
    const details = {
      subject: oneLine(certificate.subject ?? ''),
      issuer: oneLine(certificate.issuer ?? ''),
      endsAt,
      daysLeft: Math.floor((endsAt - now) / 86_400_000),
      trusted: distrust === undefined ? null : distrust === null,
    };
    const content = lines(
      `${key}, from ${source}: ${endsAt < now ? `EXPIRED ${formatSpan(now - endsAt)} ago` : beginsAt > now ? 'NOT VALID YET' : `ends in ${formatSpan(endsAt - now)}`} (${new Date(beginsAt).toISOString().slice(0, 10)} to ${new Date(endsAt).toISOString().slice(0, 16)}Z)`,
      `  for ${details.subject}${certificate.subjectAltName ? `; names: ${certificate.subjectAltName}` : ''}`,
      `  by ${details.issuer}`,
      distrust !== undefined && (distrust === null ? '  trusted by this machine' : `  NOT trusted: ${distrust}`),
    );
    return done(content, details);
  },
});

async function fromFile(path: string, hostName: string, context: ToolContext) {
  const read = await context.host(hostName).readFile(path);
  if (!read.ok) return { error: read.error };
  try {
    return { certificate: new X509Certificate(read.value.text), distrust: undefined, source: path };
  } catch (thrown) {
    return { error: `${path} holds no certificate in PEM (${messageOf(thrown)})` };
  }
}
