import { basename } from 'node:path';
import type { ProposedAction } from './incident.ts';

/** `restart cache`, `rotate log of worker`: an action as a person would say it. */
export function actionTitle({ tool, arguments: args }: Pick<ProposedAction, 'tool' | 'arguments'>): string {
  const service = String(args.service ?? '');
  const verb = /^(start|stop|restart|reload)_service$|^(continue)_process$/.exec(tool);
  if (verb) return `${verb[1] ?? verb[2]} ${service}`;
  if (tool === 'restore_file') return `restore ${basename(String(args.path ?? 'file'))} of ${service}`;
  if (tool === 'run_command') return `run ${String(args.command ?? '')} on ${service}`;
  return [tool.replaceAll('_', ' '), service].filter(Boolean).join(' of ');
}
