import { z } from 'zod';

const tagsSchema = z.looseObject({
  models: z.array(z.looseObject({ name: z.string(), capabilities: z.array(z.string()).nullish() })),
});

/** The first model of an Ollama on this machine that can hold a conversation with tools, or null when there is none. */
export async function findLocalModel(
  ask: typeof fetch,
  signal: AbortSignal,
  url = 'http://127.0.0.1:11434',
): Promise<string | null> {
  try {
    const response = await ask(new URL('/api/tags', url), { signal });
    const { data } = tagsSchema.safeParse(await response.json());
    // Older servers do not say what a model can do; the name tells those that only embed.
    const fitting = data?.models.find(({ name, capabilities }) =>
      capabilities ? capabilities.includes('tools') : !/embed|minilm|bge/i.test(name),
    );
    return fitting?.name ?? null;
  } catch {
    return null; // Nobody listens there, or it is not Ollama: both mean that there is no local model.
  }
}
