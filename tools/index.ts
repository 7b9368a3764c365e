import { activateRelease } from './act/activate-release.ts';
import { clearDirectory } from './act/clear-directory.ts';
import { continueProcess } from './act/continue-process.ts';
import { endIdleSessions } from './act/end-idle-sessions.ts';
import { endProcess } from './act/end-process.ts';
import { reloadService } from './act/reload-service.ts';
import { restartService } from './act/restart-service.ts';
import { restoreFile } from './act/restore-file.ts';
import { rotateLog } from './act/rotate-log.ts';
import { runCommand } from './act/run-command.ts';
import { startService } from './act/start-service.ts';
import { stopService } from './act/stop-service.ts';
import { certificateInfo } from './look/certificate-info.ts';
import { cpuUsage } from './look/cpu-usage.ts';
import { diskUsage } from './look/disk-usage.ts';
import { dnsLookup } from './look/dns-lookup.ts';
import { incidentHistory } from './look/incident-history.ts';
import { kernelMessages } from './look/kernel-messages.ts';
import { listPorts } from './look/list-ports.ts';
import { listProcesses } from './look/list-processes.ts';
import { memoryUsage } from './look/memory-usage.ts';
import { openFiles } from './look/open-files.ts';
import { postgresState } from './look/postgres-state.ts';
import { probeEndpoint } from './look/probe-endpoint.ts';
import { readLogs } from './look/read-logs.ts';
import { recentChanges } from './look/recent-changes.ts';
import { redisState } from './look/redis-state.ts';
import { serviceFiles } from './look/service-files.ts';
import { serviceStatus } from './look/service-status.ts';
import type { Tool } from './tool.ts';

/** The allowlist: what is not here cannot be called. */
export const lookTools: readonly Tool[] = [
  serviceStatus,
  readLogs,
  recentChanges,
  probeEndpoint,
  listPorts,
  listProcesses,
  cpuUsage,
  memoryUsage,
  diskUsage,
  openFiles,
  serviceFiles,
  redisState,
  postgresState,
  certificateInfo,
  dnsLookup,
  kernelMessages,
  incidentHistory,
];

/**
 * What changes something: each goes through the guard. Ollama finds a call by a tool's name anywhere in what a model writes,
 * and where two names end at the same place it takes the one that was offered first: so `restart_service` stands before
 * `start_service`, here and wherever tools are chosen.
 */
export const actTools: readonly Tool[] = [
  restartService,
  startService,
  stopService,
  reloadService,
  continueProcess,
  endProcess,
  restoreFile,
  activateRelease,
  rotateLog,
  clearDirectory,
  endIdleSessions,
  runCommand,
];

export const allTools: readonly Tool[] = [...lookTools, ...actTools];
