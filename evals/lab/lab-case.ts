import type { Bench } from './bench.ts';

/** Something a case cannot do without: a program, root, a kernel feature. */
export interface Need {
  name: string;
  /** What is missing and how to get it, or null when all is there. It changes nothing. */
  missing(): Promise<string | null>;
}

/** A real fault on a real machine. Each part throws when it is not as it should be; the message is what people read. */
export interface LabCase<World = unknown> {
  name: string;
  /** What it shows, in a sentence. */
  shows: string;
  needs: Need[];
  /** Part of `--smoke`: quick, and with few needs. */
  smoke?: boolean;
  /** Starts the service and what manages it, and Nightshift watching it; returns when all is well. */
  prepare(bench: Bench): Promise<World>;
  inject(world: World, bench: Bench): Promise<void>;
  /** The fault is there, seen without Nightshift. */
  symptom(world: World, bench: Bench): Promise<void>;
  /** The outcome, seen without Nightshift's checks; returns what was found, in a sentence. */
  oracle(world: World, bench: Bench): Promise<string>;
  /** What the bench does not clean up by itself. Runs on every path; `world` is null when `prepare` failed. */
  cleanup?(world: World | null, bench: Bench): Promise<void>;
}

/** Lets the type of a case's world be inferred where it is written. */
export const defineCase = <World>(labCase: LabCase<World>): LabCase<World> => labCase;

/** Thrown by `prepare` when something turns out to be missing only then: the case is skipped, not failed. */
export class Missing extends Error {
  override name = 'Missing';
}
