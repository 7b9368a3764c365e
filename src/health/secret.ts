import { messageOf } from '../base/outcome.ts';
import type { CheckContext, Measurement } from './check.ts';
import { unmeasured } from './finding.ts';

type Revealed = { ok: true; secret: string | undefined } | { ok: false; measurement: Measurement };

/** The value behind an optional reference. One that is missing means that nothing can be measured. */
export function reveal({ secret }: Pick<CheckContext, 'secret'>, reference: string | undefined): Revealed {
  if (reference === undefined) return { ok: true, secret: undefined };
  try {
    return { ok: true, secret: secret(reference) };
  } catch (thrown) {
    return { ok: false, measurement: unmeasured('secret-missing', messageOf(thrown)) };
  }
}
