/** What the document says that no schema knows. */

export const introduction = `
Say once that something happened, and every endpoint that wants to know is told: signed, retried for more than a day,
with every attempt kept to look at, to replay and to recover.

This is the Svix v1 API: its SDKs work unchanged, with \`serverUrl\` set to this server.

**Authentication.** \`Authorization: Bearer <token>\`, where the token is an org's (everything in it), an application's
(that application only) or an API key (what its scope allows).

**Names.** Wherever a path asks for an id, the \`uid\` that you gave does too; for a message, its \`eventId\`.

**Lists** come in pages of \`limit\` items. \`iterator\` of a page, given back as \`?iterator=\`, leads on, and
\`prevIterator\` back; \`done\` says that there are no more that way.

**Absent and null.** A PATCH keeps what is absent and clears what is null. A PUT clears what is absent, and makes what
isn't there. Fields and parameters that we don't know are ignored.

**Errors** have one shape: \`{ code, detail }\`, and for a 422 a list that says where each fault stands.
`.trim();

/** @property of the middle of an operation id: `v1.<of>.<verb>` */
export const tags: { of: string; name: string; description: string }[] = [
  { of: "application", name: "Application", description: "One for each of your customers." },
  {
    of: "endpoint",
    name: "Endpoint",
    description: "Where an application's messages go: a URL and what it wants.",
  },
  { of: "event-type", name: "Event Type", description: "What can happen, by name." },
  { of: "message", name: "Message", description: "What happened, once." },
  {
    of: "message-attempt",
    name: "Message Attempt",
    description: "Each time that a message was sent to an endpoint.",
  },
  {
    of: "message.poller",
    name: "Message Poller",
    description: "For receivers that nobody can call: they read what an endpoint would be sent.",
  },
  { of: "authentication", name: "Authentication", description: "Tokens for your customers." },
  {
    of: "api-key",
    name: "API Key",
    description: "Keys for your own programs, which can be revoked.",
  },
  { of: "background-task", name: "Background Task", description: "What takes longer than a request." },
  { of: "statistics", name: "Statistics", description: "How much was sent." },
  { of: "environment", name: "Environment", description: "Event types and settings, out and in again." },
  { of: "integration", name: "Integration", description: "Keys for third parties to an application." },
  {
    of: "operational-webhook.endpoint",
    name: "Operational Webhook Endpoint",
    description: "Where you hear of endpoints that fail, are disabled or recover.",
  },
  { of: "health", name: "Health", description: "For load balancers. Open to everyone." },
];

export const pathParameters: Record<string, { description: string; example: string }> = {
  app_id: { description: "The application's id or uid.", example: "app_2y6rkTqDGfhN0pQcnKp7HVzq3Ba" },
  endpoint_id: { description: "The endpoint's id or uid.", example: "ep_2y6rkTqDGfhN0pQcnKp7HVzq3Ba" },
  sink_id: {
    description: "The id or uid of an endpoint whose URL is `poll:` and a name.",
    example: "ep_2y6rkTqDGfhN0pQcnKp7HVzq3Ba",
  },
  consumer_id: { description: "A name for whoever reads, one for each reader.", example: "warehouse-1" },
  msg_id: { description: "The message's id or eventId.", example: "msg_2y6rkTqDGfhN0pQcnKp7HVzq3Ba" },
  attempt_id: { description: "The attempt's id.", example: "atmpt_2y6rkTqDGfhN0pQcnKp7HVzq3Ba" },
  event_type_name: { description: "The event type's name.", example: "user.signup" },
  task_id: { description: "The background task's id.", example: "qtask_2y6rkTqDGfhN0pQcnKp7HVzq3Ba" },
  integ_id: { description: "The integration's id.", example: "integ_2y6rkTqDGfhN0pQcnKp7HVzq3Ba" },
  key_id: { description: "The key's id.", example: "key_2y6rkTqDGfhN0pQcnKp7HVzq3Ba" },
};
