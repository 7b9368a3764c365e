// An Ollama that answers every chat with one tool call, each time with another argument. It runs in a process of its own, so
// that its work is not counted as the client's. Started by loop.ts; it tells its port and ends when its parent does.
import { createServer } from 'node:http';

let calls = 0;
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    if (request.url !== '/api/chat') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ capabilities: ['completion', 'tools'], model_info: {}, models: [] }));
      return;
    }
    calls += 1;
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const common = { model: 'bench', created_at: '2026-01-01T00:00:00Z' };
    const tool_calls = [{ id: `call_${calls}`, function: { index: 0, name: 'logs', arguments: { page: calls } } }];
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write(
      `${JSON.stringify({ ...common, message: { role: 'assistant', content: '', tool_calls }, done: false })}\n`,
    );
    const end = { message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop' };
    const counts = { prompt_eval_count: Math.ceil(size / 4), eval_count: 12, total_duration: 1, eval_duration: 1 };
    response.end(`${JSON.stringify({ ...common, ...end, ...counts })}\n`);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(address !== null && typeof address === 'object' ? address.port : null);
});
process.on('disconnect', () => process.exit(0));
