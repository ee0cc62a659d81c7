/** What of Bun's server is needed to stop it. */
type Server = { stop(closeActiveConnections?: boolean): Promise<void>; pendingRequests: number };

const pollMs = 20;

/** Takes no new connections, lets the requests under way end, and at the deadline cuts what is left. */
export async function stopServer(server: Server | null, deadline: AbortSignal): Promise<void> {
  if (server === null) return;
  const stopped = server.stop();
  // Idle keep-alive connections hold `stop` up, so that its own promise says nothing about requests.
  while (server.pendingRequests > 0 && !deadline.aborted) await Bun.sleep(pollMs);
  await server.stop(true);
  await stopped;
}
