import type { Verb } from '../verb.ts';
import { decide } from './approve.ts';

/** Refuses one action: the incident goes up to a person. */
const deny: Verb = async (context) => decide(context, 'denied');
export default deny;
