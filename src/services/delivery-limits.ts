/** What a retry schedule may hold, be it the server's, an event type's or an endpoint's. */
export const retryDelaysMax = 50;
export const retryDelaySecondsMax = 2_592_000;

/** An endpoint's own timeout. Its owner chooses it, and each delivery holds a place in flight for as long. */
export const endpointTimeoutMsMin = 100;
export const endpointTimeoutMsMax = 60_000;
