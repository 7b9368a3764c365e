import { z } from 'zod';
import { excerpt, formatSpan } from '../../src/health/format.ts';
import { serviceArgument } from '../shared/names.ts';
import { done, lines, moment } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const output = z.object({
  incidents: z.array(
    z.object({
      id: z.number(),
      service: z.string(),
      title: z.string(),
      state: z.string(),
      cause: z.string().nullable(),
      resolution: z.string().nullable(),
      openedAt: z.number(),
    }),
  ),
});

export const incidentHistory = defineTool({
  name: 'incident_history',
  description:
    'Past incidents: their cause, what was tried, and whether it held. Use it to see whether this has happened before and what helped.',
  risk: 'read',
  input: (scope, config) =>
    z.strictObject({
      service: serviceArgument(scope, config, 'only its incidents'),
      limit: z.int().min(1).max(20).default(6),
    }),
  output,
  async run({ service, limit }, context) {
    const incidents = context.archive.recent({ ...(service === undefined ? {} : { service }), limit });
    if (incidents.length === 0)
      return done(`No incident${service === undefined ? '' : ` of ${service}`} is on record.`, { incidents: [] });
    const content = incidents.map((incident) =>
      lines(
        `#${incident.id} ${moment(incident.openedAt)} ${incident.title} (${incident.state}${incident.resolvedAt === null ? '' : `, lasted ${formatSpan(incident.resolvedAt - incident.openedAt)}`})`,
        incident.diagnosis !== null &&
          `  cause: ${excerpt(incident.diagnosis.rootCause, 200)} [${incident.diagnosis.cause}]`,
        triedIn(incident.id, context),
        incident.resolution !== null &&
          `  ended by ${incident.resolvedBy ?? 'unknown'}: ${excerpt(incident.resolution, 200)}`,
        incident.reopened > 0 && `  a fix did not hold ${incident.reopened} times`,
      ),
    );
    return done(content.join('\n'), {
      incidents: incidents.map(({ id, service: of, title, state, diagnosis, resolution, openedAt }) => ({
        id,
        service: of,
        title,
        state,
        cause: diagnosis?.cause ?? null,
        resolution,
        openedAt,
      })),
    });
  },
});

const triedIn = (incident: number, { archive }: ToolContext): string[] =>
  archive
    .actions(incident)
    .map(
      ({ tool, service, state, held }) =>
        `  tried ${tool}${service === null ? '' : ` on ${service}`}: ${state}${held === null ? '' : held ? ', held' : ', did NOT hold'}`,
    );
