import { z } from 'zod';
import type { CheckRunner } from '../check.ts';
import { fetchJson } from '../fetch-json.ts';
import { unmeasured } from '../finding.ts';
import { excerpt, formatNumber } from '../format.ts';
import { breachOf, withBreach } from '../limits.ts';

const sample = z.tuple([z.number(), z.string()]);
const series = z.object({ metric: z.record(z.string(), z.string()), value: sample });
const answerSchema = z.object({
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('vector'), result: z.array(series) }),
    z.object({ resultType: z.literal('scalar'), result: sample }),
  ]),
});

/** The value of an instant query. Of several series the worst counts. No series is no measurement. */
export const prometheus: CheckRunner<'prometheus'> = async (check, context) => {
  const { settings } = check;
  const fetched = await fetchJson(context, settings.prometheus, 'api/v1/query', { query: settings.query });
  if (!fetched.ok) {
    const failed = fetched.reason === 'status-400' || fetched.reason === 'status-422';
    return unmeasured(failed ? 'query-failed' : fetched.reason, fetched.summary);
  }
  const parsed = answerSchema.safeParse(fetched.document);
  if (!parsed.success)
    return unmeasured('not-prometheus', `what answers at ${settings.prometheus} gives no instant vector or scalar`);
  const { data } = parsed.data;
  const found = data.resultType === 'scalar' ? [{ metric: {}, value: data.result }] : data.result;
  const values = found
    .map(({ metric, value }) => ({
      labels: excerpt(JSON.stringify(metric), 120),
      value: Number(value[1].replace('Inf', 'Infinity')),
    }))
    .filter(({ value }) => !Number.isNaN(value));
  const weight = (value: number): number => ['warn', 'critical'].indexOf(breachOf(value, settings)?.verdict ?? '');
  const [first, ...others] = values;
  if (!first) return unmeasured('no-data', `the query gives ${found.length === 0 ? 'no series' : 'no number'}`);
  const worst = others.reduce((bad, other) => (weight(other.value) > weight(bad.value) ? other : bad), first);
  const of = values.length === 1 ? '' : `, worst of ${values.length} series: ${worst.labels}`;
  return withBreach(
    {
      value: worst.value,
      summary: `${formatNumber(worst.value)}${of}`,
      facts: { value: worst.value, series: values.length, labels: worst.labels },
    },
    breachOf(worst.value, settings),
  );
};
