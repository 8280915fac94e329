/** Loaded first into each process of a trial: by its wall clock it is so many days later. */
const shiftMs = Number(process.env.TRIAL_DAYS ?? 0) * 24 * 3_600_000
const { now } = Date
Date.now = () => now() + shiftMs
