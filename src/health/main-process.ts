import type { CheckContext, Measurement } from './check.ts';
import { unmeasured } from './finding.ts';
import { listProcesses, type Process, treeOf } from './processes.ts';

type MainTree = { ok: true; pid: number; tree: Process[] } | { ok: false; measurement: Measurement };

/** The main process of the service, as its manager knows it, with all its descendants. */
export async function mainTree(context: CheckContext, timeoutMs: number): Promise<MainTree> {
  const { manager, service } = context;
  if (!manager)
    return {
      ok: false,
      measurement: unmeasured('no-manager', `${service.name} has no manager that knows its main process`),
    };
  const status = await manager.status();
  if (!status.ok) return { ok: false, measurement: unmeasured('status-unknown', status.error) };
  const pid = status.value.mainPid;
  if (pid === null)
    return {
      ok: false,
      measurement: unmeasured('not-running', `${service.name} has no process to measure: ${status.value.summary}`),
    };
  const listed = await listProcesses(context, timeoutMs);
  if (!listed.ok) return listed;
  const tree = treeOf(listed.processes, pid);
  if (tree.length === 0)
    return { ok: false, measurement: unmeasured('not-running', `${service.name} has no process ${pid} any more`) };
  return { ok: true, pid, tree };
}
