import { stepTools } from '../format.ts';
import { type FactSource, isFailing } from './collect.ts';

/** What the service depends on, and whether that fails. */
export const dependencyFacts: FactSource = async ({ service, tools }, collect) => {
  if (service.dependsOn.length === 0) return;
  const measured = await Promise.all(
    service.dependsOn.map(async (name) => ({ name, failing: (await tools.measure(name)).filter(isFailing) })),
  );
  const failing = measured.find((each) => each.failing.length > 0);
  collect.set({ dependency_failing: failing?.name ?? 'none' });
  if (!failing) return;
  const status = await tools.manager(failing.name)?.status();
  if (status?.ok) collect.set({ dependency_process_status: wordOf(status.value.state) });
  for (const result of failing.failing) {
    collect.quote(`check:${result.check}`, `${result.check} (${result.kind})`, result.summary, [
      'dependency_failing',
      'dependency_process_status',
    ]);
  }
};

const wordOf = (state: string): string => (['stopped', 'failed', 'absent'].includes(state) ? 'dead' : state);

/** What was tried in this incident already: a rollback that did not help is not rolled back once more. */
export const triedFacts: FactSource = async ({ incident, tools }, collect) => {
  const actions = tools.archive.actions(incident.id).filter((action) => action.state !== 'refused');
  for (const tool of [...stepTools, 'runbook_command']) {
    collect.set({ [`tried_${tool}`]: actions.filter((action) => action.tool === tool).length });
  }
};
