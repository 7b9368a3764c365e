import { z } from 'zod';
import { systemClock } from '../base/clock.ts';
import { completeConfig } from '../config/complete.ts';
import { type ConfigOptions, defaultStateFolder } from '../config/paths.ts';
import { type Config, type ConfigInput, configSchema } from '../config/schema.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';

/** Where a watch without nightshift.yaml keeps what it found, for the verbs beside it. */
const SETTING = 'discovered';

/** A discovered inventory, in the form a file would have, as a configuration. */
export const discoveredConfig = (input: unknown, place: ConfigOptions): Config =>
  completeConfig(configSchema.parse(input), { file: null, ...place });

/** What the last watch found, completed; the machine alone when no watch has run yet. A store that cannot be read is told by whoever needs it. */
export function rememberedConfig(place: ConfigOptions): Config {
  const opened = openStore(defaultStateFolder(place), { clock: systemClock, readOnly: true });
  if (!opened.ok) return discoveredConfig({}, place);
  const kept = configSchema.safeParse(opened.value.settings.get(SETTING));
  opened.value.close();
  return kept.success ? completeConfig(kept.data, { file: null, ...place }) : discoveredConfig({}, place);
}

const keptSchema = z.object({ services: z.record(z.string(), z.unknown()) });

/**
 * Keeps a fresh discovery and gives the inventory to watch. A service that was found earlier, is not there now and has an
 * open incident stays in it: that it is gone is what the incident is about.
 */
export function rememberDiscovered(store: Store, fresh: ConfigInput): unknown {
  const before = keptSchema.safeParse(store.settings.get(SETTING)).data?.services ?? {};
  const open = new Set(store.incidents.unresolved().map((incident) => incident.service));
  const missed = Object.entries(before).filter(([name]) => open.has(name) && !fresh.services?.[name]);
  const merged = { ...fresh, services: { ...Object.fromEntries(missed), ...fresh.services } };
  // Kept by another version, it may not fit any more.
  const inventory = configSchema.safeParse(merged).success ? merged : fresh;
  store.settings.set(SETTING, inventory);
  return inventory;
}
