import type { Clock } from '../base/clock.ts';
import type { ModelSettings } from '../config/schema.ts';
import { createAnthropicProvider } from './anthropic.ts';
import { failedAnswer } from './failure.ts';
import { createOllamaProvider } from './ollama.ts';
import { guardOutgoing, type OutgoingOptions } from './outgoing.ts';
import type { ModelAnswer, ModelEvent, ModelFailureKind, ModelProvider, ModelRequest, ModelUsage } from './provider.ts';
import { noUsage, sumUsage } from './usage.ts';

interface RouterOptions {
  /** In the order they are tried. */
  providers: ModelProvider[];
  clock: Clock;
  /** How long a provider that could not be reached is left alone; default 60 s. Then it is probed before it is asked. */
  breaker?: { skipMs: number };
}

/** Several providers behind one another. It is what the loop asks. */
interface Router {
  readonly name: string;
  /** The smallest window among them, so that a conversation can move to any of them. */
  readonly contextTokens: number;
  readonly providers: readonly ModelProvider[];
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  probe(signal: AbortSignal): Promise<{ name: string; ready: boolean; message: string; remedy?: string }[]>;
}

/** Failures of the server rather than of one request: these open the breaker. */
const ofTheServer = new Set<ModelFailureKind>([
  'unreachable',
  'timed-out',
  'out-of-memory',
  'not-found',
  'not-authorised',
  'rate-limited',
]);
/** Failures of chance: the same provider is asked once more. */
const worthAnotherTry = new Set<ModelFailureKind>(['malformed', 'empty']);

interface Open {
  until: number;
  because: string;
}
type Failed = Extract<ModelAnswer, { ok: false }>;

/**
 * Asks the providers in order until one answers. Each failure is a `provider-failed` event, and that event takes back the deltas
 * of this request that came before it: deltas are passed on as they come, not held back, so that a person sees
 * words at once. A conversation stays with the provider that answered last, for its thinking and its cache are there.
 */
export function createRouter({ providers, clock, breaker }: RouterOptions): Router {
  const skipMs = breaker?.skipMs ?? 60_000;
  const open = new Map<string, Open>();

  /** Null when the provider may be asked, otherwise why not. */
  async function closedDoor(provider: ModelProvider, signal: AbortSignal): Promise<string | null> {
    const state = open.get(provider.name);
    if (!state) return null;
    const left = state.until - clock.now();
    if (left > 0) return `left alone for another ${Math.ceil(left / 1000)} s: ${state.because}`;
    const probed = await provider.probe(signal);
    if (probed.ready) {
      open.delete(provider.name);
      return null;
    }
    open.set(provider.name, { until: clock.now() + skipMs, because: probed.message });
    return [probed.message, probed.remedy].filter(Boolean).join('; ');
  }

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const said: string[] = [];
    let usage = noUsage;
    let partial = '';
    for (const provider of inOrder(providers, request)) {
      const closed = await closedDoor(provider, signal);
      if (closed !== null) {
        said.push(`${provider.name}: ${closed}`);
        continue;
      }
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        const answer = yield* ask(provider, request, signal);
        usage = sumUsage(usage, answer.usage);
        if (answer.ok || answer.failure === 'cancelled') return yield { type: 'answer', answer: { ...answer, usage } };
        yield { type: 'provider-failed', provider: provider.name, failure: answer.failure, message: answer.message };
        partial = answer.partial ?? partial;
        if (signal.aborted) break;
        if (attempt === 1 && worthAnotherTry.has(answer.failure)) continue;
        said.push(`${provider.name}: ${answer.message}`);
        if (ofTheServer.has(answer.failure)) {
          open.set(provider.name, { until: clock.now() + skipMs, because: answer.message });
        }
        break;
      }
      if (signal.aborted) return yield { type: 'answer', answer: failed('cancelled', 'stopped by the caller', usage) };
    }
    yield { type: 'answer', answer: { ...failed('no-model', nobody(said), usage), ...(partial ? { partial } : {}) } };
  }

  return {
    name: providers.map((provider) => provider.name).join(', '),
    contextTokens: Math.min(CLOUD_CONTEXT, ...providers.map((provider) => provider.contextTokens)),
    providers,
    stream,
    probe: (signal) =>
      Promise.all(providers.map(async (provider) => ({ name: provider.name, ...(await provider.probe(signal)) }))),
  };
}

/** Passes on what a provider streams, and hands back its answer. A provider that ends without one has failed, too. */
async function* ask(
  provider: ModelProvider,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent, ModelAnswer> {
  for await (const event of provider.stream(request, signal)) {
    if (event.type === 'answer') return event.answer;
    yield event;
  }
  return failedAnswer(provider, 'server-error', 'the provider ended without an answer');
}

/** As configured, but the one that answered this conversation last goes first. */
function inOrder(providers: ModelProvider[], request: ModelRequest): ModelProvider[] {
  const last = request.messages.findLast((message) => message.role === 'assistant');
  const current = providers.find((provider) => last?.role === 'assistant' && provider.name === last.provider);
  return current ? [current, ...providers.filter((provider) => provider !== current)] : providers;
}

const failed = (failure: ModelFailureKind, message: string, usage: ModelUsage): Failed => ({
  ok: false,
  provider: 'none',
  model: 'none',
  failure,
  message,
  usage,
});

function nobody(said: string[]): string {
  if (said.length === 0) return 'no model is configured; add one under `models:` in nightshift.yaml';
  return `no model answered. ${said.join('. ')}. See what is missing with: nightshift doctor`;
}

interface CreateModelsOptions {
  clock: Clock;
  /** The value behind `env:NAME` or `file:PATH`; throws when there is none. */
  secret: (reference: string) => string;
  /** Replaces secrets and personal data; default: nothing is replaced. */
  redact?: OutgoingOptions['redact'];
  /** Hears what went to a cloud model. */
  keepSent?: OutgoingOptions['keepSent'];
}

/** The models of the configuration, in order, behind one router. */
interface Models {
  readonly length: number;
  readonly router: Router;
  probe: Router['probe'];
}

const FIVE_MINUTES = 300_000;
/** What is used of a cloud model's far larger window: a longer prompt costs more and helps little here. */
const CLOUD_CONTEXT = 100_000;

/** Builds a provider for each model of the configuration. Nothing is loaded or asked yet. */
export function createModels(settings: readonly ModelSettings[], options: CreateModelsOptions): Models {
  const { clock, redact = (text) => text, keepSent = () => undefined } = options;
  const providers = settings.map((each) => guardOutgoing(createProvider(each, options), { redact, keepSent }));
  const router = createRouter({ providers, clock });
  return { length: providers.length, router, probe: router.probe };
}

function createProvider(settings: ModelSettings, { clock, secret }: CreateModelsOptions): ModelProvider {
  if ('ollama' in settings) {
    const { model, url, context, timeout } = settings.ollama;
    return createOllamaProvider({ model, url, contextTokens: context, timeoutMs: timeout ?? FIVE_MINUTES, clock });
  }
  const { model, key, url, timeout, max_output: maxOutputTokens } = settings.anthropic;
  return createAnthropicProvider({
    model,
    key: () => secret(key),
    url,
    maxOutputTokens,
    contextTokens: CLOUD_CONTEXT,
    timeoutMs: timeout ?? FIVE_MINUTES,
    clock,
  });
}
