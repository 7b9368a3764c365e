import { failure, type Outcome, success } from '../base/outcome.ts';
import { readLogFiles } from './log-files.ts';
import type { ManagerContext } from './manager.ts';
import type { FoundProcess } from './process-find.ts';
import { identityOf } from './process-table.ts';

/** A program that cannot work (bad argument, port taken, module missing) mostly ends within this. */
const WATCHED_MS = 300;
/** How long one that sends itself to the background gets until it can be found there. */
const BACKGROUND_MS = 2000;
const POLL_MS = 50;
const LAST_LINES = 5;

export interface StartRequest extends ManagerContext {
  find: () => Promise<Outcome<FoundProcess>>;
  onStart: (pid: number) => void;
}

/** Starts the program of a service, sees that it lives for a moment, and writes its pid file unless it does so itself. */
export async function startProcess(request: StartRequest): Promise<Outcome<string>> {
  const { service, host, clock } = request;
  if (service.start === undefined) return failure(`${service.name} has no \`start:\`, so Nightshift cannot start it`);
  const beganAt = clock.now();
  const [logFile] = service.logs;
  const begun = await host.start({
    argv: service.start,
    ...(service.directory === undefined ? {} : { directory: service.directory }),
    ...(service.environment === undefined ? {} : { environment: service.environment }),
    ...(logFile === undefined ? {} : { logFile }),
  });
  if (!begun.ok) return failure(`${service.name} was not started: ${begun.error}`);
  const { pid } = begun.value;
  request.onStart(pid);
  if (await livesFor(request, pid, WATCHED_MS)) {
    const noted = await writePidFile(request, pid, beganAt);
    return success(`started as process ${pid}${noted}`);
  }

  const end = host.endOf(pid);
  if (end === null || end.exitCode === 0) {
    const background = await findFor(request, BACKGROUND_MS);
    if (background !== null) return success(`started; it runs in the background as process ${background}`);
  }
  const how = end === null ? '' : end.signal ? ` by ${end.signal}` : ` with exit code ${end.exitCode}`;
  return failure(`${service.name} ended at once${how}${await lastLines(request, beganAt)}`);
}

async function livesFor({ host, clock }: StartRequest, pid: number, milliseconds: number): Promise<boolean> {
  const until = clock.now() + milliseconds;
  for (;;) {
    const identity = await identityOf(host, pid);
    if (host.endOf(pid) !== null || (identity.ok && identity.value === null)) return false;
    if (clock.now() >= until) return true;
    await clock.sleep(POLL_MS);
  }
}

async function findFor({ find, clock }: StartRequest, milliseconds: number): Promise<number | null> {
  const until = clock.now() + milliseconds;
  for (;;) {
    const found = await find();
    if (found.ok && found.value.main) return found.value.main.pid;
    if (clock.now() >= until) return null;
    await clock.sleep(POLL_MS * 4);
  }
}

/** Programs that keep their own pid file have written it by now, and some refuse to start over a stranger's. */
async function writePidFile({ service, host }: StartRequest, pid: number, beganAt: number): Promise<string> {
  if (service.pid_file === undefined) return '';
  const facts = await host.fileFacts(service.pid_file);
  if (facts.ok && facts.value && facts.value.modifiedAt >= beganAt - 1000) return '';
  const written = await host.writeFile(service.pid_file, `${pid}\n`);
  return written.ok ? '' : `, but its pid file was not written: ${written.error}`;
}

async function lastLines({ service, host }: StartRequest, since: number): Promise<string> {
  const [logFile] = service.logs;
  if (logFile === undefined) return '; set `logs:` to see what it said';
  const read = await readLogFiles(host, [logFile], { since: since - 1000, maxBytes: 8 * 1024 });
  const lines = read.ok ? (read.value.at(-1)?.text ?? '').split('\n').filter(Boolean).slice(-LAST_LINES) : [];
  return lines.length === 0 ? `; it wrote nothing to ${logFile}` : `; last lines of ${logFile}:\n${lines.join('\n')}`;
}
