/** What happened, as a port: events with plain facts, never a cap or a key. */
export interface Trace {
  event(name: string, facts?: Readonly<Record<string, unknown>>): void
}

/** Drops every event. */
export const noTrace: Trace = { event() {} }
