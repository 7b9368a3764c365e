import type { CheckInput, ManagerKind } from './schema.ts';

/** A service that was found running, as it would be written into nightshift.yaml. */
export interface DiscoveredService {
  /** Short, unique, and a valid name in the configuration. */
  name: string;
  manager: ManagerKind;
  /** Its name at its manager, where that is not the name of the service. */
  unit?: string;
  /** systemd: a unit of the user. */
  user?: boolean;
  /** The host as it is called in the configuration. */
  host: string;
  /** TCP ports it listens on, lowest first. */
  ports: number[];
  /** As written in YAML. */
  checks: CheckInput[];
  composeFile?: string;
  /** process: a text that tells it from all other processes. */
  match?: string;
  /** How it was found, for people, on one line. */
  found: string;
  /** What a person may want to add, as lines of YAML of this service: only ever written as a comment. */
  suggestions: string[];
}

export interface DiscoveredDisk {
  path: string;
  /** `ext4`, `apfs`; null where `df` does not say. */
  type: string | null;
  sizeBytes: number;
  usedPercent: number;
}

/** What runs on a host, as far as it could be seen. */
export interface Discovery {
  host: string;
  /** When it was looked at, in milliseconds since the epoch. */
  at: number;
  services: DiscoveredService[];
  disks: DiscoveredDisk[];
  memory: { totalBytes: number; availableBytes: number | null } | null;
  /** What could not be seen and why, and what was left out on purpose. */
  notes: string[];
}
